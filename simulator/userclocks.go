package simulator

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"
)

// clockTable is what the clocks of users' workstations are ahead of domain time, by lower-case name of the user.
type clockTable struct {
	mu    sync.Mutex
	ahead map[string]time.Duration
}

func (t *clockTable) set(ahead map[string]time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ahead = maps.Clone(ahead)
}

func (t *clockTable) all() map[string]time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.ahead)
}

// SetUserClock sets what the clock of a user's workstation is ahead of domain time: it stamps the user's requests, and for an administrator it
// is what Get-Date says.
func (d *Domain) SetUserClock(user string, offset time.Duration) {
	d.clocks.mu.Lock()
	d.clocks.ahead[strings.ToLower(user)] = offset
	d.clocks.mu.Unlock()
	d.event(Event{Op: opHost, From: user, Text: fmt.Sprintf("the clock is %v ahead of domain time", offset)})
}

// userClock is what the clock of a user's workstation is ahead of domain time.
func (d *Domain) userClock(user string) time.Duration {
	d.clocks.mu.Lock()
	defer d.clocks.mu.Unlock()
	return d.clocks.ahead[strings.ToLower(user)]
}

// userClocks are those of the configuration.
func userClocks(users []User) map[string]time.Duration {
	clocks := map[string]time.Duration{}
	for _, u := range users {
		if u.ClockOffset != 0 {
			clocks[strings.ToLower(u.Name)] = u.ClockOffset
		}
	}
	return clocks
}

// clientTime is the clock of the one who presents a ticket.
func (d *Domain) clientTime(client string) func() time.Time {
	name, _, _ := strings.Cut(client, "@")
	offset := d.userClock(name)
	return func() time.Time { return d.Clock.Now().Add(offset) }
}
