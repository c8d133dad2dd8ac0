package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Neutral names. The TLD test is nobody's (RFC 2606).
const (
	neutralDomain  = "example.test"
	neutralNetBIOS = "EXAMPLE"
	neutralSID     = "S-1-5-21-1111111111-2222222222-3333333333"
)

// redactor gives each name another one, the same each time.
type redactor struct {
	names   map[string]string // neutral name by name in lower case
	next    map[string]int    // of each role
	domains map[string]string // DNS names of domains in lower case
	sids    map[string]string // of domains
	guids   map[string]string
	err     error
}

// Redact gives a world and its report neutral names in the place of names of computers, accounts, groups, domains and services, of SIDs,
// GUIDs, addresses in public networks, passwords and titles: each time the same one. What decides a diagnosis stays: which names are equal,
// classes and ports of service principal names, releases, times, relative identifiers. The world and the report are not changed.
func Redact(w *doctor.World, report *Report) (*doctor.World, *Report, error) {
	text, err := json.Marshal(w)
	if err != nil {
		return nil, nil, fmt.Errorf("redact: %w", err)
	}
	out := &doctor.World{} // a copy of which nothing is shared
	if err := json.Unmarshal(text, out); err != nil {
		return nil, nil, fmt.Errorf("redact: %w", err)
	}
	r := neutral(out)
	if r.err != nil {
		return nil, nil, r.err
	}
	if err := out.Validate(); err != nil {
		return nil, nil, fmt.Errorf("redact: %w", err)
	}
	return out, r.report(report), nil
}

// neutral gives every text of a world its neutral form.
func neutral(w *doctor.World) *redactor {
	r := &redactor{names: map[string]string{}, next: map[string]int{}, domains: map[string]string{}, sids: map[string]string{}, guids: map[string]string{}}
	r.meet(w)
	r.walk(reflect.ValueOf(w).Elem(), "")
	return r
}

// meet gives names to what has one, so that what it is can be told by its name.
func (r *redactor) meet(w *doctor.World) {
	c := &w.Domain
	dns := strings.ToLower(c.DNSName)
	if dns == "" {
		dns = "contoso.com"
	}
	r.domains[dns] = neutralDomain
	first, _, _ := strings.Cut(dns, ".")
	r.names[first] = neutralNetBIOS // a domain is often called by its first label
	if n := strings.ToLower(c.NetBIOSName); n != "" && n != first {
		r.names[n] = neutralNetBIOS + "NB"
	}
	if c.SID != "" {
		r.sids[c.SID] = neutralSID
	}
	for _, d := range c.Domains {
		r.domains[strings.ToLower(d.DNSName)] = fmt.Sprintf("domain%02d.%s", r.count("domain"), neutralDomain)
		if d.NetBIOSName != "" {
			r.names[strings.ToLower(d.NetBIOSName)] = fmt.Sprintf("DOMAIN%02d", r.next["domain"])
		}
		for _, dc := range d.DCs {
			r.token(dc, "DC")
		}
	}
	for _, dc := range c.DCs {
		r.token(dc, "DC")
	}
	if len(c.DCs) == 0 {
		r.names["dc01"] = "DC01" // as it is called by itself
	}
	for _, h := range c.Hosts {
		r.token(strings.TrimSuffix(h.Name, "$"), "HOST")
	}
	for _, s := range slices.Concat(c.ServiceAccounts, w.Create) {
		r.token(strings.TrimSuffix(s.Name, "$"), "GMSA")
	}
	for _, g := range c.Groups {
		r.account(g.Name, "GROUP")
	}
	for _, u := range c.Users {
		r.account(u.Name, "USER")
	}
	for _, x := range w.Containers {
		r.token(x.Name, "CONTAINER")
	}
	for _, s := range w.SQLServers {
		r.token(s.Name, "SQL")
	}
}

func (r *redactor) count(role string) int {
	r.next[role]++
	return r.next[role]
}

// token is the neutral name of one word: in small letters when the word is.
func (r *redactor) token(word, role string) string {
	key := strings.ToLower(word)
	if word == "" {
		return ""
	}
	n, ok := r.names[key]
	if !ok {
		n = fmt.Sprintf("%s%02d", role, r.count(role))
		r.names[key] = n
	}
	if word == key {
		return strings.ToLower(n)
	}
	return n
}

// ofEveryDomain are accounts and groups that are called the same everywhere.
var ofEveryDomain = []string{"administrator", "guest", "krbtgt", "domain admins", "domain users", "domain guests", "domain computers", "domain controllers",
	"enterprise admins", "schema admins", "system", "localsystem", "containeruser", "containeradministrator", "nanoserver user", "outside"}

// account is the neutral name of an account or group in one of its forms: NAME, NAME$, DOMAIN\NAME, NAME@DOMAIN.
func (r *redactor) account(s, role string) string {
	if d, n, ok := strings.Cut(s, `\`); ok {
		switch strings.ToUpper(d) {
		case "NT AUTHORITY", "NT SERVICE", "BUILTIN", "IIS APPPOOL", "USER MANAGER":
			return s
		}
		return r.part(d, "DOMAIN") + `\` + r.account(n, role)
	}
	if n, d, ok := strings.Cut(s, "@"); ok {
		return r.account(n, role) + "@" + r.dns(d)
	}
	if slices.Contains(ofEveryDomain, strings.ToLower(s)) {
		return s
	}
	if n, ok := strings.CutSuffix(s, "$"); ok {
		return r.token(n, role) + "$"
	}
	return r.token(s, role)
}

// part is a NetBIOS or DNS name of a domain or computer.
func (r *redactor) part(s, role string) string {
	if strings.Contains(s, ".") {
		return r.dns(s)
	}
	return r.token(s, role)
}

// dns is the neutral form of a DNS name.
func (r *redactor) dns(s string) string {
	bare := strings.ToLower(strings.TrimSuffix(s, "."))
	end := s[len(bare):]
	if bare == "" {
		return s
	}
	cased := func(n string) string {
		if s == strings.ToUpper(s) {
			return strings.ToUpper(n) + end
		}
		return n + end
	}
	if n := r.domains[bare]; n != "" {
		return cased(n)
	}
	if !strings.Contains(bare, ".") {
		return r.token(strings.TrimSuffix(s, "."), "SERVICE") + end
	}
	// The longest domain that it is in, or else the one after its first label.
	_, suffix, _ := strings.Cut(bare, ".")
	for d := range r.domains {
		if strings.HasSuffix(bare, "."+d) && len(d) > 0 && (r.domains[suffix] == "" || len(d) > len(suffix)) {
			suffix = d
		}
	}
	if r.domains[suffix] == "" {
		r.domains[suffix] = fmt.Sprintf("other%02d.test", r.count("other"))
	}
	var labels []string
	for label := range strings.SplitSeq(strings.TrimSuffix(bare, "."+suffix), ".") {
		labels = append(labels, strings.ToLower(r.token(label, "SERVICE")))
	}
	return cased(strings.Join(labels, ".") + "." + r.domains[suffix])
}

// spn keeps class, port and the form of the parts of a service principal name.
func (r *redactor) spn(s string) string {
	class, rest, ok := strings.Cut(s, "/")
	if !ok {
		return r.part(s, "SERVICE")
	}
	parts := strings.Split(rest, "/")
	for i, p := range parts {
		host, port, hasPort := strings.Cut(p, ":")
		host = r.part(host, "SERVICE")
		if hasPort {
			if strings.Trim(port, "0123456789") != "" {
				port = r.token(port, "INSTANCE")
			}
			host += ":" + port
		}
		parts[i] = host
	}
	return class + "/" + strings.Join(parts, "/")
}

var (
	aDomainSID = regexp.MustCompile(`S-1-5-21-\d+-\d+-\d+`)
	sddl       = regexp.MustCompile(`^[OGDS]:`)
	aGUID      = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
)

// sid replaces the SIDs of domains in a text.
func (r *redactor) sid(s string) string {
	return aDomainSID.ReplaceAllStringFunc(s, func(sid string) string {
		if r.sids[sid] == "" {
			r.sids[sid] = fmt.Sprintf("S-1-5-21-4000000000-4000000000-%d", r.count("sid"))
		}
		return r.sids[sid]
	})
}

// guid replaces GUIDs in a text.
func (r *redactor) guid(s string) string {
	return aGUID.ReplaceAllStringFunc(s, func(g string) string {
		key := strings.ToLower(g)
		if r.guids[key] == "" {
			r.guids[key] = fmt.Sprintf("00000000-0000-4000-8000-%012d", r.count("guid"))
		}
		return r.guids[key]
	})
}

// dn is the neutral form of a distinguished name: containers that every domain has keep theirs.
func (r *redactor) dn(s string) string {
	name, err := dn.Parse(s)
	if err != nil {
		return r.token(s, "NAME")
	}
	var path []dn.DN
	for n := name; n.DNSName() != "" || n.Depth() > 0; n = n.Parent() {
		if attr, _ := n.RDN(); strings.EqualFold(attr, "DC") {
			break
		}
		path = append(path, n)
	}
	out := dn.Domain(r.dns(name.DNSName()))
	for _, n := range slices.Backward(path) {
		attr, value := n.RDN()
		switch {
		case aGUID.MatchString(value):
			value = r.guid(value)
		case slices.Contains([]string{"users", "computers", "domain controllers", "managed service accounts", "configuration", "services", "master root keys",
			"group key distribution service", "partitions", "builtin"}, strings.ToLower(value)):
		default:
			value = r.account(value, "UNIT")
		}
		out = out.Child(attr, value)
	}
	return out.String()
}

// address keeps addresses of private networks, which are in use everywhere.
func (r *redactor) address(s string) string {
	host, rest, _ := strings.Cut(s, "/")
	a, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return r.part(s, "SERVICE")
	case a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || rest != "":
		return s
	}
	if r.names[s] == "" {
		r.names[s] = fmt.Sprintf("192.0.2.%d", r.count("address"))
	}
	return r.names[s]
}

var number = regexp.MustCompile(`^-?\d+$`)

// anything is the neutral form of a text of which nothing is known.
func (r *redactor) anything(s string) string {
	switch {
	case s == "" || number.MatchString(s):
		return s
	case aDomainSID.MatchString(s):
		return r.sid(s)
	case aGUID.MatchString(s):
		return r.guid(s)
	case strings.Contains(s, "="):
		if _, err := dn.Parse(s); err == nil {
			return r.dn(s)
		}
	case strings.Contains(s, "/"):
		return r.spn(s)
	case strings.ContainsAny(s, `\@`):
		return r.account(s, "NAME")
	case strings.Contains(s, ".") && !strings.Contains(s, " "):
		return r.address(s)
	}
	return r.account(s, "NAME")
}

// kept are fields that name nobody: words of Windows, of the format, or of machines in general.
var kept = []string{"Schema", "OS", "WireTime", "EncryptionTypes", "DefaultETypes", "KDCETypes", "DataRoot", "Attribute", "ServiceDependsOn", "CLSID", "COMClasses",
	"DCSubnet", "SiteSubnets", "Subnet", "Address"}

// walk replaces every text below a value by what its field calls for.
func (r *redactor) walk(v reflect.Value, field string) {
	switch x := v.Addr().Interface().(type) {
	case *windows.Image:
		r.image(x)
		return
	case *windows.User:
		x.Name = r.account(x.Name, "USER")
		return
	case *windows.Engine:
		return
	case *simulator.SpecFile:
		x.Name, x.Text = r.file(x.Name), r.specText(x.Text)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			r.walk(v.Elem(), field)
		}
	case reflect.Slice:
		for i := range v.Len() {
			r.walk(v.Index(i), field)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Type.String() != "*simulator.Keys" {
				r.walk(v.Field(i), f.Name)
			}
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && !slices.Contains(kept, field) { // other types of text have a fixed set of values
			v.SetString(r.field(field, v.String()))
		}
	}
}

// field is the neutral form of the text of a field.
func (r *redactor) field(field, s string) string {
	if s == "" {
		return ""
	}
	switch field {
	case "Title":
		return "redacted"
	case "DNSName", "DNSHostName", "Target":
		return r.dns(s)
	case "RetrieveSDDL":
		if sddl.MatchString(s) {
			return r.sid(s)
		}
		return r.token(s, "SDDL")
	case "Path":
		return r.dn(s)
	case "SPNs", "AllowedToDelegateTo", "SPN":
		return r.spn(s)
	case "ClosedPorts":
		dc, port, both := strings.Cut(s, ":")
		if !both && number.MatchString(s) {
			return s
		}
		dc = r.token(dc, "DC")
		if both {
			dc += ":" + port
		}
		return dc
	case "Hostname":
		return r.part(s, "SERVICE")
	case "DNS":
		return r.address(s)
	case "Password", "AdminPassword":
		return r.token(s, "Secret-") + "!"
	case "CredentialSpec", "SecurityOpts":
		return r.option(s)
	case "Values":
		if strings.HasPrefix(s, "base64:") {
			r.err = errors.Join(r.err, errors.New("redact: the bytes of an edit cannot be redacted; leave it out"))
		}
	}
	return r.anything(s)
}

// image keeps the tag of an image, and its repository when it is a base image.
func (r *redactor) image(i *windows.Image) {
	ref := i.Reference
	if ref == "" || strings.HasPrefix(ref, "mcr.microsoft.com/") || !strings.Contains(ref, "/") && !strings.Contains(ref, "-") {
		return
	}
	repository, tag := ref, ""
	if at := strings.LastIndexByte(ref, ':'); at > strings.LastIndexByte(ref, '/') {
		repository, tag = ref[:at], ref[at:]
	}
	neutral, err := windows.ParseImage(neutralDomain + "/" + strings.ToLower(r.token(repository, "image")) + tag)
	if err != nil { // the repository said which base it is
		neutral, _ = windows.ParseImage(i.Flavour.Repository() + tag)
	}
	*i = neutral
}
