package simulator

import (
	"fmt"
	"slices"

	"github.com/gmsasim/gmsasim/fakekdc"
)

// DCUpdate is the month of the last cumulative update of a DC, as far as it changes Kerberos.
type DCUpdate string

// The updates. A DC of which nothing is said has that of November 2022 with its correction.
const (
	// UpdateNovember2022 is KB5021131 of 8 November 2022 (CVE-2022-37966), whose first build has a defect.
	UpdateNovember2022 DCUpdate = "2022-11-08"
	// UpdateNovember2022Fixed is the correction of 17 November 2022.
	UpdateNovember2022Fixed DCUpdate = "2022-11-17"
	// UpdateApril2026 gives accounts that declare no types AES only (CVE-2026-20833, KB5073381).
	UpdateApril2026 DCUpdate = "2026-04-14"
	// UpdateJuly2026 enforces it.
	UpdateJuly2026 DCUpdate = "2026-07-14"
)

// dcUpdates are those that a DC can have, the oldest first.
var dcUpdates = []string{string(UpdateNovember2022), string(UpdateNovember2022Fixed), string(UpdateApril2026), string(UpdateJuly2026)}

// InstallUpdate brings the DC to an update, or back from one, and restarts it.
func (dc *DC) InstallUpdate(u DCUpdate) error {
	if !slices.Contains(dcUpdates, string(u)) {
		return fmt.Errorf("%q is no update of a DC: %v", u, dcUpdates)
	}
	dc.setUpdate(u)
	dc.d.event(Event{Op: opDC, To: dc.name, Text: "has the update of " + string(u)})
	return nil
}

func (dc *DC) setUpdate(u DCUpdate) {
	dc.mu.Lock()
	defer dc.mu.Unlock()
	dc.updated = u
}

// update is the last one that the DC has; "" when nothing is said.
func (dc *DC) update() DCUpdate {
	dc.mu.Lock()
	defer dc.mu.Unlock()
	return dc.updated
}

// kdcLevel is what the DC's update makes of its KDC.
func (dc *DC) kdcLevel() fakekdc.Level {
	switch dc.update() {
	case UpdateNovember2022:
		return fakekdc.Level{RefusesWithoutRC4: true}
	case UpdateApril2026:
		return fakekdc.Level{DefaultETypes: fakekdc.DefaultETypes2026}
	case UpdateJuly2026:
		// guess: enforcement takes RC4 from accounts that declare it too
		return fakekdc.Level{DefaultETypes: fakekdc.DefaultETypes2026, AllowedETypes: fakekdc.DefaultETypes2026}
	}
	return fakekdc.Level{}
}
