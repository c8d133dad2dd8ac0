package simulator

import (
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// findSkew tells whose clock is off.
func (d *Domain) findSkew(s *stepError, dc *DC, e *krbError) *diag.Finding {
	f := &diag.Finding{
		Code:    diag.ClockSkew,
		SeenAs:  []string{"KRB_AP_ERR_SKEW (0x25)", "0xC0000133 STATUS_TIME_DIFFERENCE_AT_DC"},
		Because: "Kerberos takes a message only when its time is within five minutes of the receiver's clock",
	}
	theirs := d.Clock.Now()
	if e != nil && !e.stime.IsZero() {
		theirs = e.stime
	}
	help := diag.Help{Text: "set the clock from the domain", Command: "w32tm /resync"}
	if s.logon != nil {
		st := s.logon.st
		ours := st.now()
		f.Facts = append(f.Facts, diag.Fact{Name: st.name, Value: ours.UTC().Format("2006-01-02 15:04:05Z")},
			diag.Fact{Name: dc.name, Value: theirs.UTC().Format("2006-01-02 15:04:05Z")},
			diag.Fact{Name: "apart", Value: ours.Sub(theirs).Abs().Round(time.Second).String() + ", at most 5m0s"})
		f.Mode, help.Do = d.whoseClock(st)
	}
	f.Help = []diag.Help{help}
	return f
}

// whoseClock is the mode of a clock that is off, and the step that sets it right.
func (d *Domain) whoseClock(st *station) (mode string, do []string) {
	set := func(who, name string) []string {
		return []string{flowStep("setClock", arg{who, name}, arg{"offset", "0s"})}
	}
	host, _, inside := strings.Cut(st.name, "/")
	_, isHost := d.FindHost(host)
	switch {
	case inside && isHost:
		return "clock-host-container", set("host", host)
	case isHost:
		return "host-clock-skew", set("host", host)
	case d.userClock(st.name) != 0:
		return "clock-client", set("user", st.name)
	}
	return "", nil
}

// byAdminClock looks whether a root key is too young because the clock that dated it back was ahead of the DCs'.
func (d *Domain) byAdminClock(f *diag.Finding) {
	if f.Code != diag.YoungRootKey {
		return
	}
	ahead := time.Duration(0)
	for _, c := range d.clocks.all() {
		ahead = max(ahead, c)
	}
	now := d.Clock.Now()
	for _, dc := range d.dcs {
		for _, k := range dc.rootKeys() {
			wait := d.policy.UsableAt(k.RootKey).Sub(now)
			if wait <= 0 || wait > ahead || !k.UseStartTime.Before(k.CreateTime) {
				continue
			}
			f.Mode = "clock-kds"
			f.Facts = append(f.Facts, diag.Fact{Name: "dated back by", Value: k.CreateTime.Sub(k.UseStartTime).Round(time.Second).String()},
				diag.Fact{Name: "an administrator's clock is ahead by", Value: ahead.String()})
			f.Because = "the DC counts the ten hours by its own clock, and the effective time was reckoned from one that is ahead"
			f.Help = append([]diag.Help{{Text: "wait the difference; on the DC itself the clock would have been the right one", Do: []string{flowStep("advance", arg{"", wait.String()})}}}, f.Help...)
			return
		}
	}
}
