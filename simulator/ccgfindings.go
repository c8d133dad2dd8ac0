package simulator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// pluginError: Container Credential Guard has no password for a container, and an event of its log says so.
type pluginError struct {
	host    *Host
	spec    *credentialSpec
	account string
	event   int    // 3, 4, 6 or 8
	reason  string // in the event
	plugin  *Plugin
	user    *portableUser // that the plug-in gave
	cause   error
}

func (e *pluginError) Error() string {
	s := fmt.Sprintf("Container Credential Guard, event %d: %s", e.event, e.reason)
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

func (e *pluginError) Unwrap() error { return e.cause }

func (e *pluginError) finding(d *Domain, s *stepError) *diag.Finding {
	var f *diag.Finding
	hac := e.spec.ActiveDirectoryConfig.HostAccountConfig
	switch e.event {
	case 3:
		f = e.sectionFinding(hac)
	case 4:
		f = e.startFinding(hac)
	case 6:
		f = e.inputFinding(d, hac)
	default:
		f = e.readFinding(d)
	}
	if f == nil {
		return nil
	}
	if !e.host.cfg.Workgroup && d.allowed(e.host.firstDC(), e.account, e.host.machine.account) {
		e.onJoinedHost(f)
	}
	facts := []diag.Fact{{Name: "host", Value: e.host.Name()}, {Name: "event", Value: fmt.Sprintf("%s %d", ccgLogName, e.event)}, {Name: "reason", Value: e.reason}, {Name: "class", Value: hac.PluginGUID}}
	if e.plugin != nil {
		facts = append(facts, diag.Fact{Name: "plug-in", Value: string(e.plugin.Kind)})
	}
	if e.user != nil {
		facts = append(facts, diag.Fact{Name: "user of the plug-in", Value: e.user.domain + `\` + e.user.user})
	}
	f.Facts = append(facts, f.Facts...)
	f.SeenAs = append([]string{fmt.Sprintf("%s, event %d", ccgLogName, e.event), seenNoLogonSrv}, f.SeenAs...)
	return f
}

// onJoinedHost says of a plug-in's trouble that the host could do without the plug-in.
func (e *pluginError) onJoinedHost(f *diag.Finding) {
	f.Mode = "plugin-on-joined-host"
	f.Facts = append(f.Facts, diag.Fact{Name: "the host itself", Value: "has joined and may read the password"})
	f.Because += "; the section makes the guard ask the plug-in on a host of the domain too, and what the host may do does not count then"
	help := diag.Help{Text: "take the section HostAccountConfig out of the credential spec for hosts of the domain, and run the container anew"}
	if c := e.host.containerOf(e.spec); c != nil {
		if file, ok := strings.CutPrefix(c.cfg.CredentialSpec, "file://"); ok {
			help.Do = []string{flowStep("removeHostAccountConfig", arg{"host", e.host.Name()}, arg{"file", file}), flowStep("rerunContainer", arg{"container", c.shortID()})}
			help.Command = "New-CredentialSpec -AccountName " + c.account() + "; " + c.withSpec("file://"+file)
		}
	}
	f.Help = append([]diag.Help{help}, f.Help...)
}

func (e *pluginError) sectionFinding(hac *hostAccountConfig) *diag.Finding {
	f := &diag.Finding{Code: diag.PluginSectionBad}
	right := *hac
	switch {
	case hac.PortableCcgVersion != "1":
		f.Mode = "cs-portableccgversion-wrong"
		f.Facts = []diag.Fact{{Name: "PortableCcgVersion", Value: hac.PortableCcgVersion}}
		f.Because = `the section HostAccountConfig counts with PortableCcgVersion "1" only, written as a text`
	default:
		f.Mode = "cs-plugin-guid-invalid"
		f.Because = "PluginGUID is a GUID of hexadecimal digits in braces; the sample of the documentation is none"
	}
	right.PortableCcgVersion = "1"
	if !isCLSID(hac.PluginGUID) {
		right.PluginGUID = e.host.likelyClass(hac)
		if right.PluginGUID != "" {
			f.Nearest = []diag.Near{{Wanted: hac.PluginGUID, Closest: right.PluginGUID, WhyNot: "not hexadecimal digits in braces"}}
		}
	}
	f.Help = []diag.Help{e.host.sectionHelp("correct the section, and run the container anew", e.spec, &right)}
	return f
}

// likelyClass is the class of the plug-in of the host that reads an input like this one; "" when there is none.
func (h *Host) likelyClass(hac *hostAccountConfig) string {
	for _, p := range h.Plugins() {
		if _, err := p.Kind.parse(hac.PluginInput); err == nil {
			return p.clsid()
		}
	}
	return ""
}

// sectionHelp is the repair of a section in the credential spec of a container.
func (h *Host) sectionHelp(text string, spec *credentialSpec, right *hostAccountConfig) diag.Help {
	section, err := json.Marshal(right)
	if err != nil {
		panic(err) // three texts can always be written
	}
	help := diag.Help{Text: text + `: "HostAccountConfig": ` + string(section)}
	c := h.containerOf(spec)
	if c == nil || right.PluginGUID == "" {
		return help
	}
	help.Command = "docker rm -f " + c.shortID() + "; " + c.dockerRun(func(*Container) {})
	if file, ok := strings.CutPrefix(c.cfg.CredentialSpec, "file://"); ok {
		help.Do = []string{flowStep("addHostAccountConfig", arg{"host", h.Name()}, arg{"file", file}, arg{"pluginGUID", right.PluginGUID}, arg{"pluginInput", right.PluginInput}),
			flowStep("rerunContainer", arg{"container", c.shortID()})}
	}
	return help
}

// moveSection is the repair of a section that is in the wrong place.
func (h *Host) moveSection(spec *credentialSpec) diag.Help {
	var right hostAccountConfig
	var doc any
	if json.Unmarshal(spec.text, &doc) == nil {
		if raw, err := json.Marshal(sectionIn(doc)); err == nil {
			_ = json.Unmarshal(raw, &right) // what cannot be read is not repeated
		}
	}
	return h.sectionHelp("move the section below ActiveDirectoryConfig, and run the container anew", spec, &right)
}

// sectionIn finds the section anywhere in a document; nil when it is not there.
func sectionIn(doc any) any {
	object, ok := doc.(map[string]any)
	if !ok {
		return nil
	}
	keys := slices.Sorted(maps.Keys(object))
	for _, key := range keys {
		if strings.EqualFold(key, "HostAccountConfig") {
			return object[key]
		}
	}
	for _, key := range keys {
		if found := sectionIn(object[key]); found != nil {
			return found
		}
	}
	return nil
}

func (e *pluginError) startFinding(hac *hostAccountConfig) *diag.Finding {
	f := &diag.Finding{Code: diag.PluginNotStarted}
	kind := PluginKind("")
	if e.plugin != nil {
		kind = e.plugin.Kind
	}
	for _, k := range []PluginKind{AzureKeyVault, AWSPlugin, RancherPlugin} {
		if _, err := k.parse(hac.PluginInput); kind == "" && err == nil {
			kind = k
		}
	}
	install := arg{"kind", string(kind)}
	help := diag.Help{Text: "install the plug-in as its maker does", Command: `regsvr32 "<library of the plug-in>"`}
	args := []arg{{"host", e.host.Name()}, install}
	if !strings.EqualFold(kind.clsid(), hac.PluginGUID) {
		args = append(args, arg{"clsid", hac.PluginGUID})
	}
	switch {
	case errors.Is(e.cause, errNotListed):
		f.Mode = "plugin-not-in-ccg-allowlist"
		f.Facts = []diag.Fact{{Name: "listed below", Value: orNone(e.plugin.COMClasses)}, {Name: "read", Value: comClasses}}
		f.Because = "Container Credential Guard loads only classes that are listed below its key, which belongs to TrustedInstaller; the documentation names another key"
		help = diag.Help{Text: "list the class below the key that is read", Command: fmt.Sprintf(`reg add "%s\%s"`, comClasses, hac.PluginGUID)}
	case errors.Is(e.cause, errRunAs):
		f.Mode = "plugin-com-identity"
		f.Facts = []diag.Fact{{Name: "runs as", Value: e.plugin.RunAs}, {Name: "signed in", Value: "nobody"}}
		f.Because = "a COM application that runs as the interactive user needs somebody at the desktop; it works while one tests it there and fails afterwards"
		help = diag.Help{Text: "let the COM application run as NT AUTHORITY\\LocalService", Command: fmt.Sprintf(`reg add "HKCR\AppID\%s" /v RunAs /d "NT AUTHORITY\LocalService" /f`, hac.PluginGUID)}
	case errors.Is(e.cause, errSurrogate):
		f.Mode = "plugin-wrong-bitness-or-inproc"
		f.Facts = []diag.Fact{{Name: "bits", Value: fmt.Sprint(cmp.Or(e.plugin.Bits, 64))}, {Name: "in process", Value: fmt.Sprint(e.plugin.InProcess)}}
		f.Because = "the guard is a 64-bit service that starts plug-ins out of its process, so the class needs a 64-bit library and a surrogate (DllSurrogate of its AppID)"
		help = diag.Help{Text: "register the 64-bit library with a surrogate", Command: fmt.Sprintf(`regsvr32 "<64-bit library of the plug-in>"; reg add "HKCR\AppID\%s" /v DllSurrogate /d "" /f`, hac.PluginGUID)}
	default:
		f.Mode = "plugin-not-installed"
		f.Because = "the class that the credential spec names is not registered on this host; each node needs the plug-in"
		var classes []string
		for _, p := range e.host.Plugins() {
			classes = append(classes, p.clsid())
		}
		f.Facts = []diag.Fact{{Name: "classes", Value: orNone(strings.Join(classes, ", "))}}
		if near := diag.Nearest(hac.PluginGUID, classes); near != "" && !strings.EqualFold(near, hac.PluginGUID) {
			f.Nearest = []diag.Near{{Wanted: hac.PluginGUID, Closest: near}}
		}
	}
	if kind != "" {
		help.Do = []string{flowStep("installPlugin", args...)}
	}
	f.Help = []diag.Help{help}
	return f
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (e *pluginError) inputFinding(d *Domain, hac *hostAccountConfig) *diag.Finding {
	f := &diag.Finding{Code: diag.PluginGaveNothing}
	input, form := e.plugin.Kind.grammar()
	req, _ := e.plugin.Kind.parse(hac.PluginInput)
	if req.secret != "" {
		f.Facts = append(f.Facts, diag.Fact{Name: "secret", Value: req.secret})
	}
	identities := e.host.identityNames()
	asked := identities[0]
	if req.identity != "" {
		asked = req.identity
	}
	switch {
	case errors.Is(e.cause, errInput):
		f.Mode = "plugin-input-format"
		f.Facts = append(f.Facts, diag.Fact{Name: "PluginInput", Value: hac.PluginInput}, diag.Fact{Name: "wanted", Value: input})
		f.Because = "the guard hands PluginInput to the plug-in unread, and each make has a form of its own"
		right := *hac
		right.PluginInput = e.plugin.Kind.inputFor(d.likelySecret(e.plugin.Kind, identities), asked)
		f.Help = []diag.Help{e.host.sectionHelp("write the input in the form of the plug-in, and run the container anew", e.spec, &right)}
	case errors.Is(e.cause, errSecretForm):
		f.Mode = "plugin-input-format"
		if e.plugin.Kind == AzureKeyVault {
			f.Mode = "aks-secret-format"
		}
		f.Facts = append(f.Facts, diag.Fact{Name: "wanted", Value: form})
		f.Because = "the plug-in reads domain, user and password from the secret, and this one is not written so"
		f.Help = []diag.Help{{Text: "write the secret in the form of the plug-in", Command: d.secretLine(e.plugin.Kind, req.secret), Do: d.rewriteSecret(e.plugin.Kind, req.secret)}}
	case errors.Is(e.cause, errNoSecret):
		f.Mode = "plugin-input-format"
		f.Because = "the secret store has no secret of this name"
		var names []string
		d.mu.Lock()
		for _, s := range d.secrets {
			names = append(names, s.Name)
		}
		d.mu.Unlock()
		right := *hac
		if near := diag.Nearest(req.secret, names); near != "" {
			f.Nearest = []diag.Near{{Wanted: req.secret, Closest: near}}
			right.PluginInput = strings.Replace(hac.PluginInput, req.secret, near, 1)
		}
		f.Help = []diag.Help{e.host.sectionHelp("name the secret that is there, and run the container anew", e.spec, &right)}
	case errors.Is(e.cause, errNotAssigned):
		f.Mode = e.deniedMode(d, req.secret)
		f.Facts = append(f.Facts, diag.Fact{Name: "identities of the host", Value: strings.Join(identities, ", ")}, diag.Fact{Name: "asked for", Value: asked})
		f.Because = "a host can only be an identity that was assigned to it, and another pool of nodes has another one"
		f.Help = []diag.Help{{Text: "assign the identity to the host", Command: "az vmss identity assign --resource-group <resource group> --name <scale set of " + e.host.Name() + "> --identities " + asked,
			Do: []string{flowStep("assignIdentity", arg{"host", e.host.Name()}, arg{"identity", asked})}}}
	default:
		f.Mode = e.deniedMode(d, req.secret)
		f.Facts = append(f.Facts, diag.Fact{Name: "asks as", Value: asked})
		f.Because = "the secret store gives the secret to identities that it was granted to, and the one of this host is not among them"
		f.Help = []diag.Help{{Text: "grant the identity of the host the secret", Command: e.plugin.Kind.grantCommand(req.secret, asked),
			Do: []string{flowStep("grantSecret", arg{"secret", req.secret}, arg{"to", asked})}}}
	}
	return f
}

// deniedMode tells a store that nobody was let into from one that some hosts were.
func (e *pluginError) deniedMode(d *Domain, secret string) string {
	if e.plugin.Kind != AzureKeyVault {
		return "plugin-secret-store-denied"
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.secretLocked(secret); s != nil && len(s.Grants) > 0 {
		return "aks-new-nodepool-identity"
	}
	return "aks-keyvault-no-access"
}

// inputFor writes PluginInput for a secret.
func (kind PluginKind) inputFor(secret, identity string) string {
	switch kind {
	case AzureKeyVault:
		return "ObjectId=" + identity + ";SecretUri=" + secret
	case AWSPlugin:
		return `{"credentialArn":"` + secret + `"}`
	}
	return secret
}

// likelySecret is the first secret that one of some identities may read and that a plug-in understands.
func (d *Domain) likelySecret(kind PluginKind, identities []string) string {
	d.mu.Lock()
	secrets := cloneSecrets(d.secrets)
	d.mu.Unlock()
	for _, s := range secrets {
		if _, err := d.secret(s.Name, identities); err != nil {
			continue
		}
		if _, err := kind.user(&s); err == nil {
			return s.Name
		}
	}
	return ""
}

// rewriteSecret is the step that writes a secret anew for the user whose name it holds; nil when there is none.
func (d *Domain) rewriteSecret(kind PluginKind, name string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.secretLocked(name)
	if s == nil {
		return nil
	}
	for _, u := range d.cfg.Users {
		password, known := d.knownPasswordLocked(u.Name)
		if known && strings.Contains(strings.ToLower(s.Value), strings.ToLower(u.Name)) {
			return []string{flowStep("setSecret", arg{"secret", name}, arg{"value", kind.secretValue(d.DNSName(), u.Name, password)})}
		}
	}
	return nil
}

// secretLine is the command line that writes a secret anew for the user whose name it holds. Passwords are the reader's own.
func (d *Domain) secretLine(kind PluginKind, name string) string {
	user := "<user>"
	d.mu.Lock()
	s := d.secretLocked(name)
	for _, u := range d.cfg.Users {
		if s != nil && strings.Contains(strings.ToLower(s.Value), strings.ToLower(u.Name)) {
			user = u.Name
			break
		}
	}
	d.mu.Unlock()
	return kind.secretCommand(name, kind.secretValue(d.DNSName(), user, "<password>"))
}

// readFinding is about what the directory answers to the user of a plug-in: the cause is diagnosed as for a host, the repairs are a user's.
func (e *pluginError) readFinding(d *Domain) *diag.Finding {
	f := d.diagnose(e.cause)
	if f == nil {
		return nil
	}
	u := e.user
	f.SeenAs = nil
	rewrite := func(text string) diag.Help {
		if u.secret == nil {
			return diag.Help{Text: text}
		}
		return diag.Help{Text: text, Command: d.secretLine(e.plugin.Kind, u.secret.Name), Do: d.rewriteSecret(e.plugin.Kind, u.secret.Name)}
	}
	switch f.Code {
	case diag.NotAllowed:
		f.Mode = "acl-portable-user-not-member"
		f.Because = "the password is read by the user that the plug-in names, so that user has to be allowed, not the host"
		f.Help = []diag.Help{d.allowUser(e.account, u.user)}
	case diag.BadCredentials, diag.AccountUnusable, diag.NoSuchAccount:
		f.Mode = "plugin-bad-user-credentials"
		f.Because = "the user and password that the plug-in gave are not those of the directory"
		f.Help = []diag.Help{rewrite("write the user's name and password into the secret")}
		if a, err := d.dcs[0].replica.AccountByName(directory.Principal, u.user); err == nil && u.secret != nil && (a.PwdLastSet.After(u.secret.written) && a.PwdLastSet.After(d.cfg.Start) || a.PasswordExpired) {
			f.Mode = "rot-plugin-secret-expired"
			f.Facts = append(f.Facts, diag.Fact{Name: "password changed", Value: a.PwdLastSet.UTC().Format(timeForm)})
			f.Because = "the user's password was changed after it was written into the secret; who has a password already works until it rolls"
		}
	case diag.DNSFindsNoDC:
		if strings.Contains(u.domain, ".") {
			f.Mode = "net-host-dns-nonjoined"
			f.Facts = append(f.Facts, diag.Fact{Name: "DNS servers of the host", Value: orNone(strings.Join(e.host.dnsServers(), ", "))})
			f.Because = "a computer gets DNS servers that know the domain when it joins; one outside has to be given them"
			f.Help = []diag.Help{{Text: "let the host ask the domain's DNS servers", Command: `Set-DnsClientServerAddress -InterfaceAlias Ethernet -ServerAddresses "` + addressPlaceholder(d.dcs[0].name) + `"`,
				Do: []string{flowStep("setDNS", arg{"host", e.host.Name()}, arg{"servers", []string{d.dcs[0].name}})}}}
			break
		}
		f.Mode = "plugin-domain-name-form"
		f.Because = "the domain controllers are looked for by the DNS name of the domain, and the plug-in gave a short name or none"
		f.Help = []diag.Help{rewrite("write the full DNS name of the domain into the secret")}
	case diag.DCUnreachable:
		f.Mode = "plugin-dc-unreachable"
		f.Help = []diag.Help{{Text: "open the way from the host to the domain controllers: a route, a peering, a firewall", Command: e.host.openCommand(), Do: e.host.openSteps(e.cause)}}
	}
	return f
}

// openCommand is what opens the ways that are closed for a host.
func (h *Host) openCommand() string {
	h.station.mu.Lock()
	defer h.station.mu.Unlock()
	return allowRules(h.closed)
}

// openSteps are what lets a host reach the domain controllers that it could not reach.
func (h *Host) openSteps(err error) []string {
	e, ok := errors.AsType[*unreachableError](err)
	if !ok {
		return nil
	}
	var steps []string
	for _, a := range e.tried {
		if dc, ok := h.d.FindDC(a.dc); ok && !dc.Running() {
			steps = append(steps, flowStep("startDC", arg{"", dc.name}))
		}
	}
	h.station.mu.Lock()
	defer h.station.mu.Unlock()
	for _, port := range h.closed {
		steps = append(steps, flowStep("openPort", arg{"host", h.Name()}, arg{"port", port}))
	}
	return steps
}
