package simulator

import (
	"net/netip"
	"strings"
)

// dockerRun is the command line that makes the container anew with options changed, as it is typed in PowerShell.
func (r *Running) dockerRun(change func(*Container)) string {
	c := r.cfg
	c.Image = r.image
	if !strings.Contains(c.Image.Reference, "/") {
		c.Image.Reference = "" // a short name of ours, which no registry knows
	}
	change(&c)
	list := []string{"docker run"}
	option := func(name, value string) {
		if value != "" {
			list = append(list, "--"+name+" "+quoteWord(value))
		}
	}
	option("isolation", string(c.Isolation))
	option("hostname", c.Hostname)
	option("user", c.User.Name)
	for _, server := range c.DNS {
		if _, err := netip.ParseAddr(server); err != nil {
			server = addressPlaceholder(server) // names are all that is known of DCs
		}
		option("dns", server)
	}
	for _, o := range c.securityOpts() {
		option("security-opt", o)
	}
	return strings.Join(append(list, c.Image.String()), " ")
}

// quoteWord puts quotes around a value that a shell would take apart. Single ones, when it has double ones, as a credential spec in raw:// has.
func quoteWord(value string) string {
	switch {
	case !strings.ContainsAny(value, " \\\"'=$<>"):
		return value
	case strings.Contains(value, `"`):
		return "'" + strings.ReplaceAll(value, "'", "''") + "'"
	}
	return `"` + value + `"`
}

// withSpec is the container's command line with one credential spec and no other security option.
func (r *Running) withSpec(reference string) string {
	return r.dockerRun(func(c *Container) { c.SecurityOpts, c.CredentialSpec, c.Handover = nil, reference, BySecurityOpt })
}
