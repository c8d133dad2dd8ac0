package doctor

import (
	"strings"

	"github.com/gmsasim/gmsasim/scenarios"
)

// dockerRun begins a command that runs a container, in helps and in the events of a domain.
const dockerRun = "docker run "

// lastEvent is the number of the last event so far.
func lastEvent(r *scenarios.Replay) int {
	events := r.Domain().EventsSince(0)
	if len(events) == 0 {
		return 0
	}
	return events[len(events)-1].N
}

// lastRun is the last docker run after an event, with all its options; "" when there was none.
func lastRun(r *scenarios.Replay, after int) string {
	line := ""
	for _, e := range r.Domain().EventsSince(after) {
		if strings.HasPrefix(e.Text, dockerRun) && e.Result == "ok" {
			line = e.Text
		}
	}
	return line
}

// typed puts the command line that was replayed in the place of one that leaves options out: a help knows the option that changes, the replay
// knows all of them.
func typed(command, ran string) string {
	parts := strings.Split(command, "; ")
	for i, p := range parts {
		// What a scenario calls a DNS server has no address that could be typed.
		if ran != "" && strings.HasPrefix(p, dockerRun) && strings.Contains(p, "…") && !strings.Contains(p, "--dns") {
			parts[i] = ran
		}
	}
	return strings.Join(parts, "; ")
}
