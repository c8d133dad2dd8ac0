package directory

import (
	"context"
	"errors"
	"time"
)

var errNotYet = errors.New("directory: not built yet")

// Populate adds objects as the system to the first domain controller of a
// domain and delivers them to every replica at once: the state before the
// story begins.
func (f *Forest) Populate(domain string, objects []AddRequest) error { return errNotYet }

// RootDSE is the entry with the empty name, [MS-ADTS] 3.1.1.3.2. wire is the
// time of the door the question came through, for currentTime.
func (r *Replica) RootDSE(c *Caller, attrs []string, wire time.Time) *Entry { return nil }

// Add makes an object.
func (r *Replica) Add(ctx context.Context, c *Caller, dn string, attrs []Attribute) error {
	return errNotYet
}

// Modify changes an object; permissive is control 1.2.840.113556.1.4.1413.
func (r *Replica) Modify(ctx context.Context, c *Caller, dn string, mods []Modification, permissive bool) error {
	return errNotYet
}

// ModifyDN renames or moves an object.
func (r *Replica) ModifyDN(ctx context.Context, c *Caller, dn, newRDN string, deleteOld bool, newSuperior string) error {
	return errNotYet
}

// Delete makes a tombstone; tree is control 1.2.840.113556.1.4.805.
func (r *Replica) Delete(ctx context.Context, c *Caller, dn string, tree bool) error {
	return errNotYet
}

// Compare tests one value.
func (r *Replica) Compare(ctx context.Context, c *Caller, dn, attr string, value []byte) (bool, error) {
	return false, errNotYet
}
