package simulator

import (
	"fmt"
	"slices"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// waitHelp is to let domain time pass.
func waitHelp(text string, wait time.Duration) diag.Help {
	return diag.Help{Text: text, Do: []string{flowStep("advance", arg{"", wait.String()})}}
}

// replicateHelp brings to a DC what the others have.
func replicateHelp(dc *DC) diag.Help {
	if !dc.replica.Isolated() {
		return diag.Help{Text: "replicate, or wait for replication", Command: "repadmin /syncall /AdeP", Do: []string{flowStep("replicate", arg{"", dc.name})}, Sure: true}
	}
	return diag.Help{Text: "let the DC take changes again, and replicate", Command: fmt.Sprintf("repadmin /options %s -DISABLE_INBOUND_REPL; repadmin /syncall /AdeP", dc.name),
		Do: []string{flowStep("enableReplication", arg{"", dc.name}), flowStep("replicate", arg{"", dc.name})}}
}

// keyHelps are the two ways to a root key that is usable: one that waits, and one that is dated back.
func (d *Domain) keyHelps(dc *DC) []diag.Help {
	now := d.Clock.Now()
	wait := d.policy.UsableAt(&kds.RootKey{UseStartTime: now, CreateTime: now}).Sub(now)
	back := kds.KeyCycle
	if d.policy == kds.Samba10h5m {
		back += kds.MaxClockSkew
	}
	helps := []diag.Help{
		{Text: "make a key once per forest, then wait ten hours", Command: "Add-KdsRootKey -EffectiveImmediately",
			Do: []string{flowStep("addKDSRootKey", arg{"", "immediately"}), flowStep("advance", arg{"", wait.String()})}, Sure: true},
		{Text: "in a test domain with a single DC, back-date the key", Command: "Add-KdsRootKey -EffectiveTime ((Get-Date).AddHours(-10))",
			Do: []string{flowStep("addKDSRootKey", arg{"effective", "-" + back.String()})}},
	}
	if dc != d.dcs[0] { // an administrator's command goes to the first DC
		for i := range helps {
			helps[i].Do = append(helps[i].Do, flowStep("replicate", arg{"", dc.name}))
		}
	}
	return helps
}

// findNoKey tells why a DC has no key for a password.
func (d *Domain) findNoKey(s *stepError, dc *DC) *diag.Finding {
	if s.step != stepCreate {
		if f := d.findKeyOfPassword(s.account, dc); f != nil {
			return f
		}
	}
	if f := d.rootKeyFinding(dc); f != nil {
		return f
	}
	return &diag.Finding{Code: diag.RootKeyNotOnDC, Mode: "kds-not-replicated", Facts: []diag.Fact{{Name: "DC", Value: dc.name}, {Name: "account", Value: s.account}},
		SeenAs:  []string{seenTestFalse},
		Because: "the password was made with a root key that the DC's key distribution service does not have",
		Help:    []diag.Help{replicateHelp(dc)}}
}

// rootKeyFinding says what is wrong with the root keys as a DC sees them; nil when a key is usable there.
func (d *Domain) rootKeyFinding(dc *DC) *diag.Finding {
	now := d.Clock.Now()
	usable := func(k directory.RootKeyObject) bool {
		return k.WrongFormat == "" && !d.policy.UsableAt(k.RootKey).After(now)
	}
	var youngest, damaged *directory.RootKeyObject
	for _, k := range dc.rootKeys() {
		switch {
		case usable(k):
			return nil
		case k.WrongFormat != "":
			damaged = &k
		case youngest == nil || d.policy.UsableAt(k.RootKey).Before(d.policy.UsableAt(youngest.RootKey)):
			youngest = &k
		}
	}
	for _, other := range d.dcs {
		if keys := other.rootKeys(); other != dc && slices.ContainsFunc(keys, usable) {
			return findKeyElsewhere(keys[slices.IndexFunc(keys, usable)].RootKey, other, dc)
		}
	}
	switch {
	case youngest != nil:
		return d.findYoungKey(youngest.RootKey, dc)
	case damaged != nil:
		return d.findDamagedKey(*damaged, dc)
	}
	f := &diag.Finding{
		Code:    diag.NoRootKey,
		Mode:    "kds-no-root-key",
		Facts:   []diag.Fact{{Name: "forest", Value: d.DNSName()}, {Name: "DC", Value: dc.name}},
		SeenAs:  []string{seenKeyMissing, "Get-KdsRootKey prints nothing"},
		Because: "the password of a managed service account is derived from a KDS root key, one per forest, that an administrator makes",
		Help:    d.keyHelps(dc),
	}
	for _, o := range d.dcs {
		if tested := o.localKeyTest(); !tested.IsZero() {
			f.Mode = "kds-localtestonly"
			f.Facts = append(f.Facts, diag.Fact{Name: "tested", Value: fmt.Sprintf("%s on %s, with -LocalTestOnly, which makes no key", tested.UTC().Format(timeForm), o.name)})
			break
		}
	}
	return f
}

// findDamagedKey is about a key that the key distribution service passes over.
func (d *Domain) findDamagedKey(k directory.RootKeyObject, dc *DC) *diag.Finding {
	return &diag.Finding{
		Code: diag.BadRootKey,
		Mode: "kds-invalid-config",
		Facts: []diag.Fact{{Name: "key", Value: k.ID.String()}, {Name: "DC", Value: dc.name}, {Name: "IsFormatValid", Value: "False"},
			{Name: "AttributeOfWrongFormat", Value: k.WrongFormat}},
		SeenAs:  []string{seenKeyMissing, "Microsoft-Windows-KdsSvc/Operational event 4006"},
		Because: "the key distribution service passes over a root key that it cannot read, and there is no other one",
		Help:    d.keyHelps(dc),
	}
}

// findKeyElsewhere is about a key that other has and dc has not.
func findKeyElsewhere(k *kds.RootKey, other, dc *DC) *diag.Finding {
	f := &diag.Finding{
		Code: diag.RootKeyNotOnDC,
		Mode: "kds-not-replicated",
		Facts: []diag.Fact{{Name: "key", Value: k.ID.String()}, {Name: "on", Value: other.name}, {Name: "not on", Value: dc.name},
			{Name: "created", Value: k.CreateTime.UTC().Format(timeForm)}},
		SeenAs:  []string{seenKeyMissing, seenTestFalse, "Directory Service event 2947"},
		Because: "each DC makes passwords from the root keys in its own replica, and this key has not been replicated although it is old enough",
		Help:    []diag.Help{replicateHelp(dc)},
	}
	if k.UseStartTime.Before(k.CreateTime) {
		f.Mode = "kds-backdated-multi-dc"
		f.Because = "each DC makes passwords from the root keys in its own replica, and this key has not been replicated yet; a back-dated key skips the wait that is meant for it"
	}
	return f
}

// findYoungKey is about a key that has to wait. One whose effective time lies after its making was made without -EffectiveImmediately.
func (d *Domain) findYoungKey(k *kds.RootKey, dc *DC) *diag.Finding {
	now := d.Clock.Now()
	usable := d.policy.UsableAt(k)
	f := &diag.Finding{
		Code: diag.YoungRootKey,
		Mode: "kds-not-yet-effective",
		Facts: []diag.Fact{{Name: "key", Value: k.ID.String() + ", made " + k.CreateTime.UTC().Format(timeForm)},
			{Name: "effective", Value: k.UseStartTime.UTC().Format(timeForm)},
			{Name: "usable", Value: fmt.Sprintf("%s    in %s", usable.UTC().Format(timeForm), usable.Sub(now).Round(time.Minute))}},
		SeenAs:  []string{seenKeyMissing},
		Because: "a DC waits ten hours after the effective time, so that every DC has the key",
	}
	helps := d.keyHelps(dc)
	if k.UseStartTime.After(k.CreateTime) {
		f.Mode = "kds-default-effective-10-days"
		helps[0].Text = "make a key with an effective time that is said, then wait ten hours"
		f.Help = append(f.Help, helps[0])
	}
	f.Help = append(f.Help, waitHelp("wait", usable.Sub(now)), helps[1])
	return f
}
