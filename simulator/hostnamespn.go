package simulator

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// ofHostname completes a finding about a client that found nobody under the host name of a container. From build 17763 on the container is its
// account on the network, and the host name means nothing there.
func (r *Running) ofHostname(err error, spn string) {
	f, ok := diag.Of(err)
	if !ok || f.Code != diag.SPNUnknown || r.spec == nil || r.cfg.Hostname == "" || r.build(windows.P9) < windows.Build1809 {
		return
	}
	_, host, _ := strings.Cut(spn, "/")
	label, _, _ := strings.Cut(host, ".")
	if own, _, _ := strings.Cut(r.cfg.Hostname, "."); !strings.EqualFold(label, own) || sameAccount(label, r.account()) {
		return
	}
	f.Mode = "os-hostname-ignored-2019"
	f.Facts = append(f.Facts, diag.Fact{Name: "host name of the container", Value: r.cfg.Hostname}, diag.Fact{Name: "name on the network", Value: r.account()})
	f.Because = "from Windows Server 2019 on a container is its account on the network, whatever its host name, and nothing registers the host name"
	f.Help = []diag.Help{{Text: "use a name of the account, or register the name that people use on it", Command: fmt.Sprintf("setspn -S %s %s$", spn, r.account()),
		Do: []string{addsSPN(r.account()+"$", spn)}}}
}
