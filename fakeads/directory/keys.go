package directory

import (
	"context"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// KeySet is a version of an account's long-term keys.
type KeySet struct {
	Keys    []*krbcrypt.Key // aes256, aes128, rc4
	Version int             // msDS-KeyVersionNumber
	Salt    string          // of the AES keys
}

// Keys returns the present keys, which are derived when somebody first asks and remembered. A gMSA whose password is due rolls
// here, as it does in an AS exchange and when a ticket for it is made; the error then is a *kds.Error when no root key of this
// domain controller allows it.
func (a *Account) Keys(ctx context.Context) (*KeySet, error) {
	e := a.entry
	if a.ServiceAccount {
		var err error
		if e, _, err = a.replica.rolled(e.id); err != nil {
			return nil, err
		}
	}
	if e.cred == nil || e.cred.current == nil {
		return nil, errNoPassword
	}
	return a.replica.derive(e.cred.current)
}

// PreviousKeys are the keys of a gMSA's previous password while they are still accepted, five minutes after the roll; nil
// otherwise. Those of krbtgt stay until the next change: tickets under them are out.
func (a *Account) PreviousKeys(ctx context.Context) *KeySet {
	e := a.entry
	switch {
	case a.ServiceAccount:
		now, at, err := a.replica.rolled(e.id)
		if err != nil || now.cred == nil || now.cred.previous == nil || at.Sub(now.cred.current.set()) >= oldPasswordAccepted {
			return nil
		}
		e = now
	case e.cred == nil || e.cred.previous == nil || a.SID.RID() != security.RIDKrbtgt:
		return nil
	}
	set, err := a.replica.derive(e.cred.previous)
	if err != nil {
		return nil
	}
	return set
}

func (r *Replica) derive(s *secret) (*KeySet, error) {
	return s.derive(r.forest.cfg.Keys, r.forest.cfg.Passwords)
}
