package simulator

import (
	"fmt"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
	"strings"
)

// smbError: SMB of a container does not find a host by its name, because it looks in the network compartment of the container's host
// (windows-gmsa issue 30).
type smbError struct {
	r    *Running
	path string
}

func (e *smbError) Error() string { return "SMB finds no host for " + e.path }

// finding tells the setting of the node.
func (e *smbError) finding(*Domain, *stepError) *diag.Finding {
	return &diag.Finding{Code: diag.SMBElsewhere, Mode: "rt-smb-by-name-fails",
		Facts:   []diag.Fact{{Name: "host", Value: e.r.h.Name()}, {Name: "engine", Value: e.r.engine.String()}, {Name: "EnableCompartmentNamespace", Value: "not set"}},
		SeenAs:  []string{"Cannot find path '" + e.path + "' because it does not exist."},
		Because: "under containerd, SMB of a container works in the network compartment of the host unless a setting of its network service says otherwise; an address works",
		Help: []diag.Help{{Text: "set EnableCompartmentNamespace on the node, restart it, and start the container again",
			Command: `reg add HKLM\SYSTEM\CurrentControlSet\Services\hns\State /v EnableCompartmentNamespace /t REG_DWORD /d 1`,
			Do:      []string{flowStep("enableCompartmentNamespace", arg{"", e.r.h.Name()}), e.r.again()}}}}
}

// smbNames tells whether SMB of the container finds hosts by name.
func (r *Running) smbNames(path string) error {
	if r.engine.Kind == windows.Containerd && r.isolation == windows.Process && r.h.machineSystem().smbInHost {
		return &smbError{r, path}
	}
	return nil
}

// EnableCompartmentNamespace lets SMB of containers under containerd work in their own network, and restarts the host.
func (h *Host) EnableCompartmentNamespace() {
	h.mu.Lock()
	h.sys.smbInHost = false
	h.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "EnableCompartmentNamespace = 1"})
	h.Restart()
}

// sealedSearch is the line of OpenLDAP's client that asks for a managed password over a sealed connection.
func sealedSearch(dc *DC, account string) string {
	return fmt.Sprintf(`ldapsearch -Y GSSAPI -O minssf=56 -H ldap://%s -b %q "(sAMAccountName=%s$)" msDS-ManagedPassword`, dc.DNSName(), dc.dom.DN, strings.TrimSuffix(account, "$"))
}

// findStrongerAuth is about a DC that takes no LDAP connection without protection (LDAPServerIntegrity = 2).
func findStrongerAuth(s *stepError, dc *DC) *diag.Finding {
	return &diag.Finding{Code: diag.SigningRequired, Mode: "net-ldap-signing-tls",
		Facts:   []diag.Fact{{Name: "DC", Value: dc.name}, {Name: "client", Value: s.logon.account}, {Name: "LDAPServerIntegrity", Value: "2"}},
		SeenAs:  []string{"LDAP strongerAuthRequired (8), 00002028"},
		Because: "the policy of the DC demands signatures; Windows seals its connections by itself, plain tools have to be told",
		Help: []diag.Help{{Text: "bind with Kerberos and confidentiality, or use LDAPS or StartTLS; for a managed password it has to be sealed anyway", Command: sealedSearch(dc, s.account),
			Do: []string{flowStep("with", arg{"protection", string(Sealed)})}}}}
}
