package directory

import (
	"slices"
	"sync"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// tokenMemory keeps the tokens of the last logons. A token is the same as long as nothing in the naming contexts has changed that it was
// made from, and with the token stay the rights that were found out for it.
type tokenMemory struct {
	mu     sync.Mutex
	tokens map[tokenKey]rememberedToken
}

type tokenKey struct {
	replica int
	account uint32
}

type rememberedToken struct {
	made  []*recordNode // contents that it was made from
	token *security.Token
}

// maxTokens is how many tokens are kept; one more, and all are given up.
const maxTokens = 256

// token is the remembered token, or the one that fresh makes.
func (m *tokenMemory) token(key tokenKey, made []*recordNode, fresh func() *security.Token) *security.Token {
	m.mu.Lock()
	old, ok := m.tokens[key]
	m.mu.Unlock()
	if ok && slices.Equal(old.made, made) {
		return old.token
	}
	t := fresh()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tokens == nil || len(m.tokens) >= maxTokens {
		m.tokens = map[tokenKey]rememberedToken{}
	}
	m.tokens[key] = rememberedToken{slices.Clone(made), t}
	return t
}

// contents appends what this view's naming contexts hold: the same nodes are the same objects.
func (v *view) contents(to []*recordNode) []*recordNode {
	for k := range ncStored {
		to = append(to, v.rs.stores[k].records.root)
	}
	return to
}
