package kds

import (
	"bytes"
	"fmt"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

const (
	// KeySize is the length of root keys and of every seed key, in bytes.
	KeySize = 64
	// MaxRootKeys is how many root keys a forest may have before the service
	// cannot choose among them any more.
	MaxRootKeys = 1000
	// KDFAlgorithm is the only value of msKds-KDFAlgorithmID, compared with case.
	KDFAlgorithm = "SP800_108_CTR_HMAC"
	// SecretAgreementAlgorithm is msKds-SecretAgreementAlgorithmID of new root keys, for DPAPI-NG.
	SecretAgreementAlgorithm = "DH"
	// PublicKeyLength is msKds-PublicKeyLength of new root keys, in bits.
	PublicKeyLength = 2048
	// PrivateKeyLength is msKds-PrivateKeyLength of new root keys, in bits.
	PrivateKeyLength = 512
)

// RootKey is an object of class msKds-ProvRootKey. It is not changed once it is
// in use.
type RootKey struct {
	ID      security.GUID
	Version int    // msKds-Version: 1
	Data    []byte // msKds-RootKeyData: 64 bytes
	// Hash of the key derivation: SHA1, SHA256, SHA384 or SHA512; empty, when
	// msKds-KDFParam is absent, means SHA256.
	Hash                     string
	CreateTime, UseStartTime time.Time
	// DomainController is the DN of the computer that made the key.
	DomainController string
}

// Check says what keeps k from being used; the error wraps ErrBadKey.
func (k *RootKey) Check() error {
	switch {
	case k.Version != 1:
		return fmt.Errorf("root key %v has version %d, not 1: %w", k.ID, k.Version, ErrBadKey)
	case len(k.Data) != KeySize:
		return fmt.Errorf("root key %v has %d bytes of data, not %d: %w", k.ID, len(k.Data), KeySize, ErrBadKey)
	case hashes[k.hash()] == nil:
		return fmt.Errorf("root key %v has hash %q, not SHA1, SHA256, SHA384 or SHA512: %w", k.ID, k.Hash, ErrBadKey)
	}
	return nil
}

func (k *RootKey) hash() string {
	if k.Hash == "" {
		return "SHA256"
	}
	return k.Hash
}

// Policy says how old a root key must be, counted from its UseStartTime, before
// new passwords are made with it. The sources disagree.
type Policy int

const (
	// Strict10h: ten hours. The rule that the guide and most administrators go
	// by, and the default.
	Strict10h Policy = iota
	// IntervalRule: it started before the current cycle did, [MS-GKDI] to the
	// letter. Between nothing and ten hours.
	IntervalRule
	// Samba10h5m: ten hours and MaxClockSkew, as Samba has it.
	Samba10h5m
)

// String is the name in configurations.
func (p Policy) String() string {
	switch p {
	case Strict10h:
		return "strict10h"
	case IntervalRule:
		return "interval"
	case Samba10h5m:
		return "samba10h5m"
	}
	return fmt.Sprintf("Policy(%d)", int(p))
}

// Serves tells whether k is old enough at that time.
func (p Policy) Serves(k *RootKey, at time.Time) bool { return !at.Before(p.from(k.UseStartTime)) }

// from is the first moment at which a root key is old enough.
func (p Policy) from(start time.Time) time.Time {
	switch p {
	case IntervalRule:
		iv := IntervalAt(start)
		if iv.Start().Before(start) {
			iv = iv.Add(1)
		}
		return iv.Start()
	case Samba10h5m:
		return start.Add(KeyCycle + MaxClockSkew)
	}
	return start.Add(KeyCycle)
}

// UsableAt is the first moment at which a new account can be made with k: it is
// old enough, and it exists.
func (p Policy) UsableAt(k *RootKey) time.Time {
	from := p.from(k.UseStartTime)
	if from.Before(k.CreateTime) {
		return k.CreateTime
	}
	return from
}

// Select picks the root key for a password of that time: of those old enough,
// the one created last, whenever it starts ([MS-GKDI]). Keys that fail Check
// are passed over. The error wraps ErrNoKey or ErrTooManyKeys.
func Select(keys []*RootKey, at time.Time, p Policy) (*RootKey, error) {
	if len(keys) > MaxRootKeys {
		return nil, fmt.Errorf("%d root keys, at most %d: %w", len(keys), MaxRootKeys, ErrTooManyKeys)
	}
	var best *RootKey
	for _, k := range keys {
		if !p.Serves(k, at) || k.Check() != nil {
			continue
		}
		// guess: of KDS root keys that were made at the same moment, the one with the larger id is used; each domain controller has to
		// choose the same, and how Windows does is not known.
		if best == nil || k.CreateTime.After(best.CreateTime) ||
			k.CreateTime.Equal(best.CreateTime) && bytes.Compare(k.ID[:], best.ID[:]) > 0 {
			best = k
		}
	}
	if best == nil {
		return nil, fmt.Errorf("no root key serves %s under the rule %v: %w", at.UTC().Format(time.RFC3339), p, ErrNoKey)
	}
	return best, nil
}

// FirstInterval is the first cycle for which k may be asked for by its id: the
// first to begin within KeyCycle and MaxClockSkew before UseStartTime.
func (k *RootKey) FirstInterval() Interval {
	at := k.UseStartTime.Add(-KeyCycle - MaxClockSkew)
	iv := IntervalAt(at)
	if iv.Start().Before(at) {
		iv = iv.Add(1)
	}
	return iv
}
