package simulator

import (
	"fmt"
	"strings"
)

// Command carries out a line that is typed in the container: nltest, klist, klist get, klist purge, whoami, whoami /upn, dir of a
// domain's SYSVOL, or sc.exe query and Start-Service of the container's own service. It gives what is printed, and an error when that says that something is wrong, as the methods of [Process] do.
func (p *Process) Command(line string) (output string, err error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return "", fmt.Errorf("an empty line is no command")
	}
	program, rest := strings.TrimSuffix(strings.ToLower(words[0]), ".exe"), words[1:]
	argument := ""
	if len(rest) > 0 {
		argument = rest[0]
	}
	switch {
	case program == "nltest" && len(rest) == 1:
		n, known, err := p.nltest(argument)
		if !known {
			break
		}
		return n.Text, err
	case program == "klist" && len(rest) == 0:
		return p.Klist()
	case program == "klist" && len(rest) == 2 && strings.EqualFold(argument, "get"):
		return p.KlistGet(rest[1])
	case program == "klist" && len(rest) == 1 && strings.EqualFold(argument, "purge"):
		return p.KlistPurge()
	case program == "sc" && len(rest) == 2 && strings.EqualFold(argument, "query"):
		return p.c.QueryService()
	case program == "start-service" && len(rest) == 1:
		return "", p.c.StartService()
	case program == "whoami" && len(rest) == 0:
		return p.Whoami(), nil
	case program == "whoami" && strings.EqualFold(argument, "/upn"):
		return p.WhoamiUPN(), nil
	case program == "dir" && len(rest) == 1:
		domain, share, _ := strings.Cut(strings.TrimLeft(argument, `\`), `\`)
		if strings.EqualFold(strings.TrimSuffix(share, `\`), "sysvol") {
			return p.DirSYSVOL(domain)
		}
	}
	return "", fmt.Errorf("%q is no command that a container of the simulator knows: nltest, klist, whoami, dir \\\\DOMAIN\\SYSVOL, sc query, Start-Service", line)
}

// nltest runs nltest with one option.
func (p *Process) nltest(option string) (n Nltest, known bool, err error) {
	name, domain, _ := strings.Cut(option, ":")
	run, known := map[string]func() (Nltest, error){
		"/query":        p.NltestQuery,
		"/parentdomain": p.NltestParentDomain,
		"/sc_verify":    func() (Nltest, error) { return p.NltestSCVerify(domain) },
		"/sc_query":     func() (Nltest, error) { return p.NltestSCQuery(domain) },
		"/sc_reset":     func() (Nltest, error) { return p.NltestSCReset(domain) },
		"/dsgetdc":      func() (Nltest, error) { return p.NltestDSGetDC(domain) },
	}[strings.ToLower(name)]
	if !known {
		return Nltest{}, false, nil
	}
	n, err = run()
	return n, true, err
}
