package simulator

import (
	"errors"
	"time"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// channelLife is how long a channel lasts in a container of 1709.
//
// guess: seven days, the shorter time of the reports, which say 7 to 14 days (moby issue 37459).
const channelLife = 7 * 24 * time.Hour

// errAged: the channel of a container of 1709 has been up for too long.
var errAged = errors.New("the channel was set up too long ago")

// channelAged tells whether Netlogon of the image has lost its channel with time. Reports are of build 16299 only. r.mu is held.
func (r *Running) channelAged() bool {
	return r.build(windows.P5) == windows.Build1709 && r.channel.session != nil && r.st.now().Sub(r.channel.since) >= channelLife
}

// findAged is about a channel that was good when the container started.
func (r *Running) findAged(facts []diag.Fact) *diag.Finding {
	r.mu.Lock()
	since := r.channel.since
	r.mu.Unlock()
	reset := "/sc_reset:" + r.spec.DomainJoinConfig.DNSName
	return &diag.Finding{Code: diag.ChannelAged, Mode: "os-netlogon-lost-after-days",
		Facts:   append(facts, diag.Fact{Name: "channel since", Value: since.UTC().Format(timeForm)}),
		SeenAs:  []string{seenTrust, "nltest /sc_verify: 1789 0x6fd ERROR_TRUSTED_RELATIONSHIP_FAILURE"},
		Because: "containers of 1709 lose the trust some days after they have started, and do not set their channel up again by themselves",
		Help: []diag.Help{{Text: "set the channel up anew", Command: "nltest " + reset, Do: []string{flowStep("nltest", arg{"container", r.shortID()}, arg{"command", reset})}},
			{Text: "or restart the container", Command: "docker restart " + r.shortID(), Do: []string{flowStep("restartContainer", arg{"", r.shortID()})}}}}
}
