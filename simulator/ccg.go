package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gmsasim/gmsasim/simulator/windows"
)

// hostAccountConfig is the section of a credential spec for hosts outside the domain (guide of 2022 on, gMSA architecture).
type hostAccountConfig struct {
	PortableCcgVersion string `json:"PortableCcgVersion"`
	PluginGUID         string `json:"PluginGUID"`
	PluginInput        string `json:"PluginInput"`
}

// UnmarshalJSON takes what is no text as its JSON text, which no check then accepts: nobody but Container Credential Guard judges it.
func (c *hostAccountConfig) UnmarshalJSON(b []byte) error {
	var v struct{ PortableCcgVersion, PluginGUID, PluginInput json.RawMessage }
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	text := func(m json.RawMessage) string {
		var s string
		if json.Unmarshal(m, &s) != nil {
			return string(m)
		}
		return s
	}
	c.PortableCcgVersion, c.PluginGUID, c.PluginInput = text(v.PortableCcgVersion), text(v.PluginGUID), text(v.PluginInput)
	return nil
}

// misplacedSection tells that the document has the section somewhere else than where it counts.
func (s *credentialSpec) misplacedSection() bool {
	return s.ActiveDirectoryConfig.HostAccountConfig == nil && strings.Contains(strings.ToLower(string(s.text)), `"hostaccountconfig"`)
}

// AddHostAccountConfig writes the section HostAccountConfig into a credential spec of the host, in place of the one that it has, as people do by
// hand: no command writes it. under is the object that it goes into: ActiveDirectoryConfig, or "" for the top level, where nothing reads it.
func (h *Host) AddHostAccountConfig(file, under, version, guid, input string) error {
	section, err := json.Marshal(hostAccountConfig{version, guid, input})
	if err != nil {
		return err
	}
	return h.editSection(file, under, section)
}

// RemoveHostAccountConfig takes the section out of a credential spec of the host.
func (h *Host) RemoveHostAccountConfig(file string) error { return h.editSection(file, "", nil) }

// editSection takes the section out of a credential spec, wherever it is, and puts another one below an object; nil: none.
func (h *Host) editSection(file, under string, section json.RawMessage) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	text, ok := h.files.files[pathBelow(h.files.engine(), file)]
	if !ok {
		return fmt.Errorf("%s has no credential spec %s", h.Name(), file)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("credential spec %s: %w", file, err)
	}
	const name = "HostAccountConfig"
	objects := []map[string]any{doc}
	for _, v := range doc {
		if object, ok := v.(map[string]any); ok {
			objects = append(objects, object)
		}
	}
	for _, object := range objects {
		delete(object, name)
	}
	into := doc
	if under != "" {
		if into, ok = doc[under].(map[string]any); !ok {
			return fmt.Errorf("credential spec %s has no object %s", file, under)
		}
	}
	if section != nil {
		into[name] = section
	}
	text, err := json.MarshalIndent(doc, "", "    ")
	if err == nil {
		h.files.files[pathBelow(h.files.engine(), file)] = text
	}
	return err
}

// reader is who reads the managed passwords for the container.
func (r *Running) reader() windows.Retrieval {
	return windows.RetrievalPath(r.build(windows.P8), r.h.domainName(), r.spec.DomainJoinConfig.DNSName, r.spec.ActiveDirectoryConfig.HostAccountConfig != nil)
}

// retrieve gets the managed password of an account: by a plug-in when the credential spec names one, which counts on a host of the domain
// too, or else by the account of the host.
func (r *Running) retrieve(ctx context.Context, account string, fresh bool) (*ManagedPassword, error) {
	switch {
	case r.reader() == windows.PluginReads:
		return r.retrieveByPlugin(ctx, account, fresh)
	case r.h.cfg.Workgroup:
		return nil, &stepError{step: stepRead, logon: r.h.machine, account: account, err: &notJoinedError{r.h, r.spec}}
	}
	return r.h.password(ctx, account+"$", fresh)
}

// pluginPasswords are the passwords that a container has by a plug-in, by lower-case account.
type pluginPasswords struct {
	mu   sync.Mutex
	kept map[string]*ManagedPassword
}

func (p *pluginPasswords) snapshot() map[string]*ManagedPassword {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.kept)
}

func (p *pluginPasswords) restore(kept map[string]*ManagedPassword) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = maps.Clone(kept)
}

// retrieveByPlugin keeps the password until it has to be asked for again, and asks the plug-in anew then (event 7). When no DC answers at
// that time, the kept one stays in use, as on a host of the domain.
func (r *Running) retrieveByPlugin(ctx context.Context, account string, fresh bool) (*ManagedPassword, error) {
	hac := r.spec.ActiveDirectoryConfig.HostAccountConfig
	key := strings.ToLower(account)
	r.byPlugin.mu.Lock()
	defer r.byPlugin.mu.Unlock()
	kept := r.byPlugin.kept[key]
	if kept != nil && !fresh && r.h.now().Before(kept.Read.Add(kept.QueryInterval)) {
		return kept, nil
	}
	if kept != nil {
		r.h.ccgLog(7, "Container Credential Guard is refetching the credentials using the plug-in: %s", hac.PluginGUID)
	}
	pw, err := r.h.readByPlugin(ctx, r.spec, account)
	if err != nil {
		if kept != nil && !fresh && unreachable(err) {
			return kept, nil
		}
		return nil, err
	}
	if r.byPlugin.kept == nil {
		r.byPlugin.kept = map[string]*ManagedPassword{}
	}
	r.byPlugin.kept[key] = pw
	return pw, nil
}

// ccgLogName is the event log of Container Credential Guard.
const ccgLogName = "Microsoft-Windows-Containers-CCG/Admin"

// ccgLog writes to it (message table of Container Credential Guard; guide, event table).
func (h *Host) ccgLog(id int, format string, args ...any) {
	level := "Error"
	if id == 1 || id == 2 || id == 7 {
		level = "Information"
	}
	h.d.event(Event{Op: opEventLog, From: h.Name(), Text: fmt.Sprintf("%s %d", ccgLogName, id), Result: level, Detail: fmt.Sprintf(format, args...)})
}

// CCGLog is Get-WinEvent -LogName Microsoft-Windows-Containers-CCG/Admin, the oldest event first: those that the domain still remembers. It has
// no events of containers whose password the account of the host reads.
func (h *Host) CCGLog() string {
	var b strings.Builder
	for _, e := range h.d.Events() {
		if id, ok := strings.CutPrefix(e.Text, ccgLogName+" "); ok && e.Op == opEventLog && e.From == h.Name() {
			fmt.Fprintf(&b, "%-22s %10s %-16s %s\n", e.Time.UTC().Format("1/2/2006 3:04:05 PM"), id, e.Result, e.Detail)
		}
	}
	if b.Len() == 0 {
		return "Get-WinEvent : No events were found that match the specified selection criteria.\n"
	}
	return "\n   ProviderName: Microsoft-Windows-Containers-CCG\n\nTimeCreated                    Id LevelDisplayName Message\n" +
		"-----------                    -- ---------------- -------\n" + b.String()
}

// Reasons in the events, as Windows words the codes behind them (threads; winerror.h, ntstatus.h).
const (
	reasonInvalidLogon = "The attempted logon is invalid. This is either due to a bad username or authentication information."
	reasonRPCFailed    = "The remote procedure call failed."
	reasonIdentity     = "The server process could not be started because the configured identity is incorrect. Check the username and password."
	reasonNotClass     = "Class not registered"
	// guess: the event's text for these causes is in no source; it has the message of the nearest Windows error
	reasonNoDomain = "The specified domain either does not exist or could not be contacted."
	reasonDenied   = "Access is denied."
	reasonInput    = "The parameter is incorrect."
	reasonNotFound = "Element not found."
	reasonParse    = "The parameter is incorrect."
)

// readByPlugin lets a plug-in name a user and reads the managed password as that user, over the same sealed path as a host does. Each step
// writes its event.
func (h *Host) readByPlugin(ctx context.Context, spec *credentialSpec, account string) (*ManagedPassword, error) {
	hac := spec.ActiveDirectoryConfig.HostAccountConfig
	nobody := &logon{st: &h.station}
	fail := func(e *pluginError) (*ManagedPassword, error) {
		e.host, e.spec, e.account = h, spec, account
		return nil, &stepError{step: stepPlugin, logon: nobody, account: account, err: e}
	}
	if hac.PortableCcgVersion != "1" || !isCLSID(hac.PluginGUID) {
		h.ccgLog(3, "Container Credential Guard failed to parse the credential spec. Error: %s", reasonParse)
		return fail(&pluginError{event: 3, reason: reasonParse})
	}
	p, reason, cause := h.activate(hac.PluginGUID)
	if cause != nil {
		h.ccgLog(4, "Container Credential Guard failed to instantiate the plug-in: %s. Error: %s", hac.PluginGUID, reason)
		return fail(&pluginError{event: 4, reason: reason, plugin: p, cause: cause})
	}
	h.ccgLog(1, "Container Credential Guard instantiated the plug-in")
	user, err := h.askPlugin(p, hac.PluginInput)
	if err != nil {
		reason := reasonInput
		switch {
		case errors.Is(err, errSecretDenied), errors.Is(err, errNotAssigned):
			reason = reasonDenied
		case errors.Is(err, errNoSecret):
			reason = reasonNotFound
		}
		h.ccgLog(6, "Container Credential Guard failed to fetch credentials from the plug-in: %s. Error: %s", hac.PluginGUID, reason)
		return fail(&pluginError{event: 6, reason: reason, plugin: p, cause: err})
	}
	pw, err := h.readAs(ctx, user, account)
	if err != nil {
		reason := eventReason(err)
		h.ccgLog(8, "Container Credential Guard failed to fetch gmsa credentials for %s using plugin %s. Error reason: %s", account, hac.PluginGUID, reason)
		return fail(&pluginError{event: 8, reason: reason, plugin: p, user: user, cause: err})
	}
	h.ccgLog(2, "Container Credential Guard fetched gmsa credentials for %s using plug-in: %s", account, hac.PluginGUID)
	return pw, nil
}

// Why a plug-in is not instantiated.
var (
	errNotInstalled = errors.New("the COM class is not registered")
	errNotListed    = errors.New("the COM class is not listed for Container Credential Guard")
	errRunAs        = errors.New("the identity of the COM application is nobody who is signed in")
	errSurrogate    = errors.New("the class cannot be started in a 64-bit process of its own")
	errNotAssigned  = errors.New("the host does not have the identity that the input names")
)

// activate starts the COM class of a plug-in. With an error, reason is how Windows words the code behind it.
func (h *Host) activate(clsid string) (p *Plugin, reason string, cause error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.plugins, func(p Plugin) bool { return strings.EqualFold(p.clsid(), clsid) })
	if i < 0 {
		return nil, reasonNotClass, errNotInstalled
	}
	p = new(h.plugins[i])
	switch {
	case p.Unregistered:
		return p, reasonNotClass, errNotInstalled
	case !p.allowed():
		return p, reasonDenied, errNotListed
	case p.Bits == 32 || p.InProcess:
		// guess: a 32-bit library, or one without a surrogate, is for a 64-bit service no registered class
		return p, reasonNotClass, errSurrogate
	case strings.EqualFold(p.RunAs, interactiveUser) && !h.sys.signedIn:
		return p, reasonIdentity, errRunAs
	}
	return p, "", nil
}

// askPlugin is the call of the plug-in's one method: from the input to a user.
func (h *Host) askPlugin(p *Plugin, input string) (*portableUser, error) {
	req, err := p.Kind.parse(input)
	if err != nil || req.user != nil {
		return req.user, err
	}
	identities := h.identityNames()
	if req.identity != "" {
		if !slices.ContainsFunc(identities, func(id string) bool { return strings.EqualFold(id, req.identity) }) {
			return nil, errNotAssigned
		}
		identities = []string{req.identity}
	}
	s, err := h.d.secret(req.secret, identities)
	if err != nil {
		return nil, err
	}
	return p.Kind.user(&s)
}

// readAs signs a user in and reads a managed password as that user. The user signs in each time, so memberships count at once.
func (h *Host) readAs(ctx context.Context, u *portableUser, account string) (*ManagedPassword, error) {
	l := &logon{st: &h.station, account: u.user, realm: strings.ToUpper(u.domain), etypes: h.machine.etypes, secret: h.d.passwordSecret(u.password)}
	if u.domain == "" {
		return nil, &noDCError{&h.station, "", "the name of the domain is empty"}
	}
	var pw *ManagedPassword
	err := h.onDCOf(ctx, u.domain, l, Sealed, func(c *ldapConn) error {
		var err error
		pw, err = readFrom(c, account)
		return err
	})
	if err != nil {
		return nil, err
	}
	return pw, nil
}

// eventReason is how event 8 words an error.
func eventReason(err error) string {
	if _, ok := errors.AsType[*noDCError](err); ok {
		return reasonNoDomain
	}
	switch {
	case unreachable(err):
		return reasonRPCFailed
	case asKRBError(err) != nil:
		return reasonInvalidLogon
	}
	return reasonDenied
}
