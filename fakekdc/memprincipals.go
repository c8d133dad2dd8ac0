package fakekdc

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// MemPrincipals is a small set of principals in memory, for tests that need a KDC and no domain. It has no SIDs, so tickets have no
// PAC. It is a [PasswordChanger] whose accounts may change their own passwords. It is safe for concurrent use.
type MemPrincipals struct {
	// Realm is that of the KDC, in upper case.
	Realm string
	// Rand makes the keys of krbtgt; nil: crypto/rand.
	Rand io.Reader
	// HostAliases are service classes that host/ stands for, such as "http" and "cifs"; nil: none.
	HostAliases []string
	// Cache remembers keys derived from passwords, each of which costs milliseconds, for several KDCs; nil: each account derives its own.
	Cache *krbcrypt.Cache

	mu       sync.Mutex
	accounts []*memAccount
	krbtgt   *Principal
}

// memAccount is an account that was added. Its principal never changes; its password may.
type memAccount struct {
	principal *Principal
	spns      []string

	mu       sync.Mutex
	password string
	version  int
	keys     *KeySet // of the current password, nil until asked for
}

// NewMemPrincipals makes an empty set; the realm's own account is there from the beginning.
func NewMemPrincipals(realm string) *MemPrincipals { return &MemPrincipals{Realm: realm} }

// Add adds an account with its password and service principal names, and returns its principal for settings beyond that, such as
// NoPreauth; they must be made before the account is used. A name that ends in $ is a computer's: its salt is so. Keys are derived when
// they are first needed.
func (m *MemPrincipals) Add(name, password string, spns ...string) *Principal {
	a := &memAccount{
		principal: &Principal{
			Name: Name{NamePrincipal, []string{name}}, SupportedETypes: ETypeBitRC4 | ETypeBitAES128 | ETypeBitAES256,
			ServiceAccount: strings.HasSuffix(name, "$"),
		},
		spns: spns, password: password, version: 1,
	}
	a.principal.Keys = func(context.Context) (KeySet, error) { return a.keySet(m) }
	a.principal.Account = a
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accounts = append(m.accounts, a)
	return a.principal
}

// keySet derives the keys of the current password. Concurrent callers wait for the first.
func (a *memAccount) keySet(m *MemPrincipals) (KeySet, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keys != nil {
		return *a.keys, nil
	}
	ks := &KeySet{Version: a.version, Salt: memSalt(m.Realm, a.principal.Name.Parts[0])}
	cache := m.Cache
	if cache == nil {
		cache = krbcrypt.NewCache(1) // both AES keys come from one computation
	}
	for _, etype := range []int32{krbcrypt.AES256SHA1, krbcrypt.AES128SHA1, krbcrypt.RC4HMAC} {
		k, err := cache.StringToKey(etype, a.password, ks.Salt)
		if err != nil {
			return KeySet{}, err
		}
		ks.Keys = append(ks.Keys, k)
	}
	a.keys = ks
	return *ks, nil
}

// memSalt is the salt of Active Directory: realm and name of users, and for computers their host name ([MS-KILE] 3.1.1.2).
func memSalt(realm, name string) string {
	if computer, ok := strings.CutSuffix(name, "$"); ok {
		return realm + "host" + strings.ToLower(computer) + "." + strings.ToLower(realm)
	}
	return realm + name
}

// Client finds an account by name, with or without $. An enterprise name is name@realm.
func (m *MemPrincipals) Client(_ context.Context, name Name) (*Principal, error) {
	if len(name.Parts) != 1 {
		return nil, ErrUnknown
	}
	account := name.Parts[0]
	if name.Type == NameEnterprise {
		at := strings.LastIndexByte(account, '@')
		if at >= 0 && !strings.EqualFold(account[at+1:], m.Realm) {
			return nil, &WrongRealmError{strings.ToUpper(account[at+1:])}
		}
		if at >= 0 {
			account = account[:at]
		}
	}
	if a := m.named(account); a != nil {
		return a.principal, nil
	}
	return nil, ErrUnknown
}

func (m *MemPrincipals) named(name string) *memAccount {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, want := range []string{name, name + "$"} {
		for _, a := range m.accounts {
			if strings.EqualFold(a.principal.Name.Parts[0], want) {
				return a
			}
		}
	}
	return nil
}

// Server finds an account by a service principal name, by an alias of host/ that it has, or by its own name when it has any service
// principal name.
func (m *MemPrincipals) Server(ctx context.Context, name Name) (*Principal, error) {
	if name.is("krbtgt", m.Realm) {
		return m.own()
	}
	if len(name.Parts) == 1 {
		p, err := m.Client(ctx, name)
		if err == nil && len(p.Account.(*memAccount).spns) == 0 && !p.ServiceAccount {
			return nil, ErrUnknown
		}
		return p, err
	}
	p, err := m.holder(name.String())
	if errors.Is(err, ErrUnknown) && slices.ContainsFunc(m.HostAliases, func(c string) bool { return strings.EqualFold(c, name.Parts[0]) }) {
		return m.holder("host/" + strings.Join(name.Parts[1:], "/"))
	}
	return p, err
}

func (m *MemPrincipals) holder(spn string) (*Principal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found *Principal
	for _, a := range m.accounts {
		if !slices.ContainsFunc(a.spns, func(s string) bool { return strings.EqualFold(s, spn) }) {
			continue
		}
		if found != nil {
			return nil, ErrDuplicate
		}
		found = a.principal
	}
	if found == nil {
		return nil, ErrUnknown
	}
	return found, nil
}

// own is krbtgt, with random keys.
func (m *MemPrincipals) own() (*Principal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.krbtgt != nil {
		return m.krbtgt, nil
	}
	source := m.Rand
	if source == nil {
		source = rand.Reader
	}
	ks := KeySet{Version: 1}
	for _, etype := range []int32{krbcrypt.AES256SHA1, krbcrypt.AES128SHA1, krbcrypt.RC4HMAC} {
		k, err := krbcrypt.RandomKey(etype, source)
		if err != nil {
			return nil, err
		}
		ks.Keys = append(ks.Keys, k)
	}
	m.krbtgt = &Principal{
		Name: Name{NamePrincipal, []string{"krbtgt"}}, DomainController: true,
		Keys: func(context.Context) (KeySet, error) { return ks, nil },
	}
	return m.krbtgt, nil
}

// ChangePassword changes the password of an account that was added here. Any password will do.
func (m *MemPrincipals) ChangePassword(_ context.Context, client *Principal, password string) error {
	a, ok := client.Account.(*memAccount)
	if !ok {
		return ErrUnknown
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.password, a.keys = password, nil
	a.version++
	return nil
}

// SetPassword is refused: nobody here administers others.
func (m *MemPrincipals) SetPassword(context.Context, *Principal, []security.SID, *Principal, string) error {
	return &PasswordError{Result: PasswordAccessDenied, Text: "access denied"}
}
