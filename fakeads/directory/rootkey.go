package directory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

const (
	classRootKey = "mskds-provrootkey"
	kdsLog       = "Microsoft-Windows-KdsSvc/Operational"
	kdsSource    = "Microsoft-Windows-KdsSvc"
	// rootKeysBelow is where root keys are, below the configuration naming context.
	rootKeysBelow = "CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,"
)

// rootKeyCache is what a domain controller's Key Distribution Service remembers of the root keys. It does not change.
//
// The service reads keys that are new to it and keeps the ones it has, also those whose object was deleted or made again with
// other data: until it is restarted, domain controllers can disagree ([MS-GKDI] 3.1.1, and Microsoft's page on multiple keys).
type rootKeyCache struct {
	version uint64 // of the configuration naming context that was read
	keys    []*kds.RootKey
}

// rootKeys reads the key objects anew unless nothing has changed since. The second result tells whether the cache is not the one
// that the domain controller has.
func (v *view) rootKeys() (cache *rootKeyCache, changed bool) {
	old := v.rs.kds
	version := v.rs.stores[ncConfiguration].version
	if old != nil && old.version == version {
		return old, false
	}
	next := &rootKeyCache{version: version}
	if old != nil {
		next.keys = old.keys
	}
	container := v.byName(rootKeysBelow + v.r.ncs[ncConfiguration].dn.String())
	if container == nil {
		return next, true
	}
	for _, id := range v.children(nil, container, 0) {
		e := v.byID(id)
		if e == nil || e.deleted || !e.is(classRootKey) {
			continue
		}
		k, err := rootKeyOf(e)
		if err != nil || slices.ContainsFunc(next.keys, func(o *kds.RootKey) bool { return o.ID == k.ID }) {
			continue
		}
		next.keys = append(slices.Clip(next.keys), k)
	}
	return next, true
}

// rootKeyOf reads a key object. An object whose name is no GUID is no key; any other fault is for [kds.RootKey.Check].
func rootKeyOf(e *entry) (*kds.RootKey, error) {
	id, err := security.ParseGUID(string(e.rdn[0]))
	if err != nil || len(e.rdn[0]) != 36 {
		return nil, fmt.Errorf("root key %s: %w", e.name, security.ErrGUID)
	}
	k := &kds.RootKey{
		ID: id, Version: int(e.int(aMsKdsVersion)), Data: e.value(aMsKdsRootKeyData), DomainController: e.text(aMsKdsDomainID),
		CreateTime: kds.FILETIME(e.int(aMsKdsCreateTime)).Time(), UseStartTime: kds.FILETIME(e.int(aMsKdsUseStartTime)).Time(),
	}
	if e.int(aMsKdsUseStartTime) == 0 || e.text(aMsKdsKDFAlgorithmID) != kds.KDFAlgorithm {
		k.Version = 0 // Check refuses it
	}
	if param := e.value(aMsKdsKDFParam); param != nil {
		p, err := kds.ParseKDFParameters(param)
		if err != nil {
			p.Hash = "unknown"
		}
		k.Hash = p.Hash
	}
	return k, nil
}

// faultyAttribute names what keeps a root key from being used, as event 4006 does; e is its object.
func faultyAttribute(e *entry, k *kds.RootKey) string {
	switch {
	case e.int(aMsKdsVersion) != 1:
		return "msKds-Version"
	case e.int(aMsKdsUseStartTime) == 0:
		return "msKds-UseStartTime"
	case e.text(aMsKdsKDFAlgorithmID) != kds.KDFAlgorithm:
		return "msKds-KDFAlgorithmID"
	case len(k.Data) != kds.KeySize:
		return "msKds-RootKeyData"
	}
	return "msKds-KDFParam"
}

// service is the Key Distribution Service of this domain controller at the moment of the view.
func (v *view) service() *kds.Service {
	cache, _ := v.rootKeys()
	if v.rs.before {
		return &kds.Service{Policy: v.f.cfg.RootKeyPolicy} // there is no such service
	}
	return &kds.Service{Keys: cache.keys, Policy: v.f.cfg.RootKeyPolicy, Cache: v.f.cfg.Passwords, Down: v.rs.kdsDown}
}

// service is the same inside a transaction, which also keeps the cache.
func (t *tx) service() *kds.Service {
	t.rememberRootKeys()
	return t.view.service()
}

// rememberRootKeys lets the service keep the keys that it has just read.
func (t *tx) rememberRootKeys() {
	cache, changed := t.rootKeys()
	if !changed {
		return
	}
	known := 0
	if t.rs.kds != nil {
		known = len(t.rs.kds.keys)
	}
	for _, k := range cache.keys[known:] {
		name := rootKeyName(t.r, k.ID)
		if e := t.byDN(name); e != nil && k.Check() != nil {
			t.event(Event{Log: kdsLog, Source: kdsSource, ID: 4006, Level: "Error", Object: name.String(),
				Text: fmt.Sprintf("Invalid master root key %v: attribute %s.", k.ID, faultyAttribute(e, k))})
		}
	}
	t.rs.kds = cache
}

// kdsService is the service for a question outside of a transaction. Reading root keys for the first time fills its cache.
func (r *Replica) kdsService() (*kds.Service, error) {
	v := r.view()
	cache, changed := v.rootKeys()
	if changed {
		err := r.update(System(), func(t *tx) error {
			t.rememberRootKeys()
			cache = t.rs.kds
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return &kds.Service{Keys: cache.keys, Policy: v.f.cfg.RootKeyPolicy, Cache: v.f.cfg.Passwords, Down: v.rs.kdsDown}, nil
}

func rootKeyName(r *Replica, id security.GUID) dn.DN {
	return dn.MustParse(rootKeysBelow+r.ncs[ncConfiguration].dn.String()).Child("CN", id.String())
}

// RestartKDS empties the Key Distribution Service's cache of root keys, as a restart of the service does (events 4003 and 4002).
func (r *Replica) RestartKDS() {
	// The transaction has no way to fail.
	_ = r.update(System(), func(t *tx) error {
		t.rs.kds = nil
		t.event(Event{Log: kdsLog, Source: kdsSource, ID: 4003, Level: "Information", Text: "Group Key Distribution Service stopped."})
		t.event(Event{Log: kdsLog, Source: kdsSource, ID: 4002, Level: "Information", Text: "Group Key Distribution Service started."})
		return nil
	})
}

// SetKDSStopped stops the Key Distribution Service of this domain controller or starts it (events 4003 and 4002). Without it the controller
// makes no root key, no new password and gives none out; keys that it has derived before serve sign-ins.
func (r *Replica) SetKDSStopped(stopped bool) {
	// The transaction has no way to fail.
	_ = r.update(System(), func(t *tx) error {
		e := Event{Log: kdsLog, Source: kdsSource, ID: 4002, Level: "Information", Text: "Group Key Distribution Service started."}
		if stopped {
			e.ID, e.Text = 4003, "Group Key Distribution Service stopped."
		}
		t.rs.kds, t.rs.kdsDown = nil, stopped
		t.event(e)
		return nil
	})
}

// KDSStopped tells whether the Key Distribution Service of this domain controller does not run.
func (r *Replica) KDSStopped() bool { return r.view().rs.kdsDown }

// defaultEffective is when a root key becomes effective unless Add-KdsRootKey is told otherwise.
const defaultEffective = 10 * 24 * time.Hour

// AddRootKey does what Add-KdsRootKey does on this domain controller: it makes a root key with that effective time, the zero time
// meaning ten days from now, and returns its id. It takes the right to create objects in the container, which Domain and
// Enterprise Admins have; the error is an *Error otherwise. Event 4004 or 4005 tells of it.
func (r *Replica) AddRootKey(ctx context.Context, c *Caller, effective time.Time) (security.GUID, error) {
	var id security.GUID
	var data []byte
	var now time.Time
	if r.KDSStopped() {
		return id, noKey(kds.ErrUnavailable)
	}
	err := r.update(System(), func(t *tx) error {
		id, data, now = t.newGUID(), t.random(kds.KeySize), t.now
		return nil
	})
	if err != nil {
		return security.GUID{}, err
	}
	if effective.IsZero() {
		effective = now.Add(defaultEffective)
	}
	v := r.view()
	name := rootKeyName(r, id)
	number := func(n int64) [][]byte { return [][]byte{intValue(n)} }
	err = r.Add(ctx, c, name.String(), []Attribute{
		Text("objectClass", "msKds-ProvRootKey"),
		{Name: "msKds-Version", Values: number(1)},
		{Name: "msKds-RootKeyData", Values: [][]byte{data}},
		{Name: "msKds-CreateTime", Values: number(int64(kds.FromTime(now)))},
		{Name: "msKds-UseStartTime", Values: number(int64(kds.FromTime(effective)))},
		Text("msKds-DomainID", v.byID(r.account).name.String()),
		Text("msKds-KDFAlgorithmID", kds.KDFAlgorithm),
		{Name: "msKds-KDFParam", Values: [][]byte{kds.KDFParameters{Hash: "SHA512"}.Marshal()}},
		Text("msKds-SecretAgreementAlgorithmID", kds.SecretAgreementAlgorithm),
		{Name: "msKds-SecretAgreementParam", Values: [][]byte{kds.DefaultFFCDHParameters().Marshal()}},
		{Name: "msKds-PublicKeyLength", Values: number(kds.PublicKeyLength)},
		{Name: "msKds-PrivateKeyLength", Values: number(kds.PrivateKeyLength)},
	})
	e := Event{Log: kdsLog, Source: kdsSource, ID: 4004, Level: "Information", Object: name.String(), Text: fmt.Sprintf("Master root key %v created.", id)}
	if err != nil {
		e.ID, e.Level, e.Text = 4005, "Error", fmt.Sprintf("Creating master root key %v failed: %v", id, err)
		id = security.GUID{}
	}
	r.report(e)
	return id, err
}

// report writes to the event log outside of a transaction.
func (r *Replica) report(e Event) {
	if r.forest.cfg.Events == nil {
		return
	}
	e.DC, e.Time = r.name, r.view().now
	r.forest.cfg.Events(e)
}

// A RootKeyObject is a root key as a domain controller's replica has it.
type RootKeyObject struct {
	*kds.RootKey
	// WrongFormat is the attribute that keeps the key from being used, as Get-KdsRootKey shows it in AttributeOfWrongFormat; "" for none.
	WrongFormat string
}

// RootKeys lists the root keys in the replica, in the order of their making; what the Key Distribution Service remembers of deleted ones
// is not among them.
func (r *Replica) RootKeys() []RootKeyObject {
	v := r.view()
	container := v.byName(rootKeysBelow + r.ncs[ncConfiguration].dn.String())
	if container == nil {
		return nil
	}
	var list []RootKeyObject
	for _, id := range v.children(nil, container, 0) {
		e := v.byID(id)
		if e == nil || e.deleted || !e.is(classRootKey) {
			continue
		}
		k, err := rootKeyOf(e)
		if err != nil {
			continue
		}
		o := RootKeyObject{RootKey: k}
		if k.Check() != nil {
			o.WrongFormat = faultyAttribute(e, k)
		}
		list = append(list, o)
	}
	return list
}
