package simulator

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// siteUnknown tells that Active Directory has no site for the container's network: the locator then gives it any DC of the domain, in the order of
// DNS, and not those of its host's site ([MS-ADTS] 6.3.6).
func (st *station) siteUnknown() bool {
	r := st.container
	if r == nil || r.cfg.Subnet == "" || len(st.d.cfg.SiteSubnets) == 0 {
		return false
	}
	own, err := netip.ParsePrefix(r.cfg.Subnet)
	if err != nil {
		return false // validated
	}
	return !slices.ContainsFunc(st.d.cfg.SiteSubnets, func(s string) bool {
		site, err := netip.ParsePrefix(s) // validated
		return err == nil && site.Bits() <= own.Bits() && site.Contains(own.Addr())
	})
}

// ofSite completes a finding about something that the DC of a station does not have yet, when it asks this DC only because its network is in no
// site.
func (st *station) ofSite(f *diag.Finding) *diag.Finding {
	if f == nil || f.Code != diag.AccountNotOnDC || !st.siteUnknown() {
		return f
	}
	r := st.container
	f.Mode = "net-wrong-site"
	f.Facts = append(f.Facts, diag.Fact{Name: "container's network", Value: r.cfg.Subnet}, diag.Fact{Name: "subnets of sites", Value: strings.Join(st.d.cfg.SiteSubnets, ", ")})
	f.Because = "the container's network is in no subnet of a site, so the locator gives it any DC, and this one does not have the change yet; its host asks the DC of its site"
	f.Help = append([]diag.Help{{Text: "give the containers a network of a site's subnet, or the site their subnet", Command: "docker network create --driver nat --subnet " + st.d.cfg.SiteSubnets[0] + " site; docker run --network site" + strings.TrimPrefix(r.dockerRun(func(*Container) {}), "docker run"),
		Do: []string{r.again(arg{"subnet", st.d.cfg.SiteSubnets[0]})}}}, f.Help...)
	return f
}
