package simulator

import (
	"fmt"
	"slices"
	"time"
)

// DCSettings are what differs from the default on one DC.
type DCSettings struct {
	// Name is the DC's name.
	Name string `json:"name" yaml:"name"`
	// OS is its release, for instance Windows Server 2008 R2. One before Windows Server 2012 has no key distribution service and gives out
	// no managed password. Default: Windows Server 2022.
	OS string `json:"os,omitempty" yaml:"os,omitempty"`
	// ClockOffset is what its clock is ahead of domain time.
	ClockOffset time.Duration `json:"clockOffset,omitempty" yaml:"clockOffset,omitempty"`
	// Update is the last cumulative update that changes its Kerberos. Default: as of November 2022, with its correction.
	Update DCUpdate `json:"update,omitempty" yaml:"update,omitempty"`
}

// dcReleases are the releases of DCs, the oldest first.
var dcReleases = []string{"Windows Server 2008", "Windows Server 2008 R2", "Windows Server 2012", "Windows Server 2012 R2", "Windows Server 2016",
	"Windows Server 2019", "Windows Server 2022", "Windows Server 2025"}

// firstWithKDS is the place of Windows Server 2012 among dcReleases.
const firstWithKDS = 2

// before2012 tells whether a release is older than Windows Server 2012; ok, whether it is one of dcReleases.
func before2012(os string) (before, ok bool) {
	i := slices.Index(dcReleases, os)
	return i >= 0 && i < firstWithKDS, i >= 0
}

// applyDCSettings brings the DCs into the state that the configuration says, after the directory has been filled.
func (d *Domain) applyDCSettings() {
	for _, s := range d.cfg.DCSettings {
		dc := d.DC(s.Name)
		if before, _ := before2012(s.OS); before {
			dc.replica.SetBefore2012(true)
		}
		dc.setUpdate(s.Update)
		if s.ClockOffset != 0 {
			dc.replica.SetClockOffset(s.ClockOffset)
		}
	}
}

// StopKDS stops the key distribution service (Stop-Service KdsSvc). The DC makes no root key and no new password then, and gives none out.
func (dc *DC) StopKDS() {
	dc.d.settle()
	dc.d.event(Event{Op: opDC, To: dc.name, Text: "Stop-Service KdsSvc"})
	dc.replica.SetKDSStopped(true)
}

// StartKDS starts the key distribution service (Start-Service KdsSvc).
func (dc *DC) StartKDS() {
	dc.d.event(Event{Op: opDC, To: dc.name, Text: "Start-Service KdsSvc"})
	dc.replica.SetKDSStopped(false)
}

// DisableReplication lets the DC take no changes from the others (repadmin /options DC +DISABLE_INBOUND_REPL). Its own go out.
func (dc *DC) DisableReplication() {
	dc.d.settle()
	dc.replica.SetIsolated(true)
	dc.d.event(Event{Op: opDC, To: dc.name, Text: "repadmin /options " + dc.name + " +DISABLE_INBOUND_REPL"})
}

// EnableReplication takes back DisableReplication; what has arrived in the meantime is applied.
func (dc *DC) EnableReplication() {
	dc.replica.SetIsolated(false)
	dc.d.event(Event{Op: opDC, To: dc.name, Text: "repadmin /options " + dc.name + " -DISABLE_INBOUND_REPL"})
}

// Upgrade brings the DC to another release, one of those that [DCSettings] takes.
func (dc *DC) Upgrade(os string) error {
	before, ok := before2012(os)
	if !ok {
		return fmt.Errorf("%q is no release of a DC", os)
	}
	dc.replica.SetBefore2012(before)
	dc.d.event(Event{Op: opDC, To: dc.name, Text: "upgrade to " + os})
	return nil
}

// SetClockOffset sets what the DC's clock is ahead of domain time. Kerberos and the key distribution service of the DC go by its clock.
func (dc *DC) SetClockOffset(offset time.Duration) {
	dc.d.settle()
	dc.replica.SetClockOffset(offset)
	dc.d.event(Event{Op: opDC, To: dc.name, Text: fmt.Sprintf("the clock is %v ahead of domain time", offset)})
}

// ExtendSchema is adprep /forestprep of the release that brings a version of the schema.
func (d *Domain) ExtendSchema(version int) {
	d.forest.ExtendSchema(version)
	d.event(Event{Op: opAdmin, From: "Administrator", Text: fmt.Sprintf("adprep /forestprep, schema version %d", version)})
}
