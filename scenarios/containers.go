package scenarios

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
)

// runContainer is a host and what docker run is told.
type runContainer struct {
	Host string
	simulator.Container
}

func (a *runContainer) decodeNode(d *decoder, n *node) {
	if n.kind != mappingNode {
		d.fail(n.errorAt("want a mapping with host and the options of docker run, got %s", n.kind))
		return
	}
	rest := &node{place: n.place, kind: mappingNode, fields: slices.Clone(n.fields)}
	rest.fields = slices.DeleteFunc(rest.fields, func(f field) bool { return f.key.text == "host" })
	if h := n.get("host"); h == nil {
		d.fail(n.errorAt("the key host is missing"))
	} else {
		a.Host, _ = d.scalar(h, "the name of a host")
	}
	d.decode(rest, &a.Container)
}

func (a *runContainer) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	if err := a.Validate(); err != nil {
		s.d.fail(n.errorAt("%v", err))
	}
	for _, dc := range a.DCs {
		s.dc(argument(n, "dcs"), dc)
	}
	s.ports(argument(n, "closedPorts"), a.ClosedPorts...)
}

func (a *runContainer) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	c, err := h.Run(a.Container)
	if err != nil {
		return err
	}
	r.keep(c)
	r.fact("container", c.ID()[:12])
	r.fact("hostname", c.Hostname())
	r.fact("image", c.Image())
	r.fact("isolation", c.Isolation())
	r.fact("user", c.User())
	return nil
}

// rerunContainer runs a container anew with some options changed, under the same id.
type rerunContainer struct {
	RunningStep string // the id of the step that ran it
	Host        string // "" the same
	changed     *node
	simulator.Container
}

func (a *rerunContainer) decodeNode(d *decoder, n *node) {
	if n.kind != mappingNode {
		d.fail(n.errorAt("want a mapping with container and the options that change, got %s", n.kind))
		return
	}
	a.changed = &node{place: n.place, kind: mappingNode}
	for _, f := range n.fields {
		switch f.key.text {
		case "container":
			a.RunningStep, _ = d.scalar(f.value, "the id of a step")
		case "host":
			a.Host, _ = d.scalar(f.value, "the name of a host")
		default:
			a.changed.fields = append(a.changed.fields, f)
		}
	}
	if n.get("container") == nil {
		d.fail(n.errorAt("the key container is missing"))
	}
	d.decode(a.changed, &a.Container)
}

func (a *rerunContainer) check(s *scope, n *node) {
	inContainer{a.RunningStep, ""}.check(s, n)
	if a.Host != "" {
		s.host(argument(n, "host"), a.Host)
	}
	if err := a.Validate(); err != nil {
		s.d.fail(n.errorAt("%v", err))
	}
	s.ports(argument(n, "closedPorts"), a.ClosedPorts...)
}

func (a *rerunContainer) do(r *attempt) error {
	old, err := resultOf[*simulator.Running](r, a.RunningStep, "container")
	if err != nil {
		return err
	}
	options := old.Options()
	h, err := r.host(cmp.Or(a.Host, old.Host().Name())) // by name: the host may have joined the domain since
	if err != nil {
		return err
	}
	d := &decoder{}
	d.decode(a.changed, &options)
	if err := d.err(); err != nil {
		return err
	}
	old.Stop()
	c, err := h.Run(options)
	if err != nil {
		return err
	}
	// Whoever knows the old container means the new one from now on.
	for id, v := range r.s.results {
		if v == any(old) {
			r.s.results[id] = c
		}
	}
	r.keep(c)
	r.fact("container", c.ID()[:12])
	r.fact("hostname", c.Hostname())
	return nil
}

// inContainer is a process in a container: one that runs as its user, or with user what docker exec --user starts.
type inContainer struct {
	Container string `yaml:"container,scalar"`
	User      string `yaml:"user,omitempty"`
}

func (a inContainer) check(s *scope, n *node) {
	s.result(argument(n, "container"), a.Container, "runContainer", "runTask")
}

func (a inContainer) process(r *attempt) (*simulator.Process, error) {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	switch {
	case err != nil:
		return nil, err
	case a.User != "":
		return c.Exec(a.User)
	}
	return c.Process, nil
}

// output states what a command printed.
func (r *attempt) output(text string) { r.fact("output", strings.Trim(text, "\n")) }

type stopContainer struct {
	Container string `yaml:"container,scalar"`
}

func (a *stopContainer) check(s *scope, n *node) { inContainer{a.Container, ""}.check(s, n) }

func (a *stopContainer) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err == nil {
		c.Stop()
	}
	return err
}

type nltest struct {
	Container string `yaml:"container"`
	User      string `yaml:"user,omitempty"`
	// Command is the option as it is typed: /sc_verify:contoso.com.
	Command string `yaml:"command"`
}

// nltestCommands are the options that a container's nltest has, with a colon where a domain follows.
var nltestCommands = map[string]func(p *simulator.Process, domain string) (simulator.Nltest, error){
	"/sc_verify:":   (*simulator.Process).NltestSCVerify,
	"/sc_query:":    (*simulator.Process).NltestSCQuery,
	"/sc_reset:":    (*simulator.Process).NltestSCReset,
	"/dsgetdc:":     (*simulator.Process).NltestDSGetDC,
	"/dsgetdc: /gc": func(p *simulator.Process, _ string) (simulator.Nltest, error) { return p.NltestFindGC() },
	"/query":        func(p *simulator.Process, _ string) (simulator.Nltest, error) { return p.NltestQuery() },
	"/parentdomain": func(p *simulator.Process, _ string) (simulator.Nltest, error) { return p.NltestParentDomain() },
}

func (a *nltest) split() (option, domain string) {
	if whole := strings.ToLower(a.Command); nltestCommands[whole] != nil && !strings.HasSuffix(whole, ":") {
		return whole, ""
	}
	option, domain, colon := strings.Cut(a.Command, ":")
	option = strings.ToLower(option)
	if colon {
		option += ":"
	}
	return option, domain
}

func (a *nltest) check(s *scope, n *node) {
	inContainer{a.Container, a.User}.check(s, n)
	option, domain := a.split()
	if nltestCommands[option] == nil || strings.HasSuffix(option, ":") && domain == "" {
		known := []string{"/sc_verify:DOMAIN", "/sc_query:DOMAIN", "/sc_reset:DOMAIN", "/dsgetdc:DOMAIN", "/dsgetdc: /gc", "/query", "/parentdomain"}
		s.d.fail(argument(n, "command").errorNear(a.Command, known, "no command %q of nltest; there are %s", a.Command, strings.Join(known, ", ")))
	}
}

func (a *nltest) do(r *attempt) error {
	p, err := inContainer{a.Container, a.User}.process(r)
	if err != nil {
		return err
	}
	option, domain := a.split()
	n, err := nltestCommands[option](p, domain)
	r.fact("status", n.Status())
	if n.DC != "" {
		r.fact("DC", n.DC)
	}
	r.output(n.Text)
	return err
}

type klist struct {
	Container string `yaml:"container,scalar"`
	User      string `yaml:"user,omitempty"`
	// Get is a service principal name, or krbtgt.
	Get   string `yaml:"get,omitempty"`
	Purge bool   `yaml:"purge,omitempty"`
}

func (a *klist) check(s *scope, n *node) {
	inContainer{a.Container, a.User}.check(s, n)
	if a.Get != "" && a.Purge {
		s.d.fail(n.errorAt("either get or purge"))
	}
}

func (a *klist) do(r *attempt) error {
	p, err := inContainer{a.Container, a.User}.process(r)
	if err != nil {
		return err
	}
	var text string
	switch {
	case a.Purge:
		text, err = p.KlistPurge()
	case a.Get != "":
		text, err = p.KlistGet(a.Get)
	default:
		text, err = p.Klist()
	}
	r.output(text)
	return err
}

type whoami struct {
	Container string `yaml:"container,scalar"`
	User      string `yaml:"user,omitempty"`
	UPN       bool   `yaml:"upn,omitempty"`
}

func (a *whoami) check(s *scope, n *node) { inContainer{a.Container, a.User}.check(s, n) }

func (a *whoami) do(r *attempt) error {
	p, err := inContainer{a.Container, a.User}.process(r)
	if err != nil {
		return err
	}
	if a.UPN {
		r.output(p.WhoamiUPN())
		return nil
	}
	r.output(p.Whoami())
	return nil
}

type dirSYSVOL struct {
	Container string `yaml:"container"`
	User      string `yaml:"user,omitempty"`
	Domain    string `yaml:"domain"`
}

func (a *dirSYSVOL) check(s *scope, n *node) { inContainer{a.Container, a.User}.check(s, n) }

func (a *dirSYSVOL) do(r *attempt) error {
	p, err := inContainer{a.Container, a.User}.process(r)
	if err != nil {
		return err
	}
	text, err := p.DirSYSVOL(a.Domain)
	r.output(text)
	return err
}

type inboundKerberos struct {
	Container string `yaml:"container,omitempty"`
	// Host is a computer whose own services are meant.
	Host string `yaml:"host,omitempty"`
	From string `yaml:"from"`
	SPN  string `yaml:"spn"`
}

func (a *inboundKerberos) check(s *scope, n *node) {
	switch {
	case given(a.Container, a.Host) != 1:
		s.d.fail(n.errorAt("either container or host"))
		return
	case a.Host != "":
		s.host(argument(n, "host"), a.Host)
	default:
		inContainer{a.Container, ""}.check(s, n)
	}
	s.account(argument(n, "from"), a.From, true)
}

func (a *inboundKerberos) do(r *attempt) error {
	if a.Host != "" {
		h, err := r.host(a.Host)
		if err != nil {
			return err
		}
		return h.InboundKerberos(a.From, a.SPN)
	}
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err != nil {
		return err
	}
	return c.InboundKerberos(a.From, a.SPN)
}

type inboundNTLM struct {
	Container string `yaml:"container"`
	From      string `yaml:"from"`
}

func (a *inboundNTLM) check(s *scope, n *node) {
	inContainer{a.Container, ""}.check(s, n)
	s.account(argument(n, "from"), a.From, true)
}

func (a *inboundNTLM) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err != nil {
		return err
	}
	return c.InboundNTLM(a.From)
}

type translateSID struct {
	Container string `yaml:"container"`
	Name      string `yaml:"name,omitempty"`
	SID       string `yaml:"sid,omitempty"`
}

func (a *translateSID) check(s *scope, n *node) {
	inContainer{a.Container, ""}.check(s, n)
	if given(a.Name, a.SID) != 1 {
		s.d.fail(n.errorAt("either name or sid"))
	}
}

func (a *translateSID) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err != nil {
		return err
	}
	if a.SID != "" {
		name, err := c.TranslateSID(a.SID)
		if err == nil {
			r.fact("name", name)
		}
		return err
	}
	sid, err := c.TranslateName(a.Name)
	if err == nil {
		r.fact("sid", sid)
	}
	return err
}

type sqlServer struct {
	// Account is the user that it runs as.
	Account string   `yaml:"account,scalar"`
	Logins  []string `yaml:"logins,omitempty"`
}

func (a *sqlServer) check(s *scope, n *node) { s.account(argument(n, "account"), a.Account, true) }

func (a *sqlServer) do(r *attempt) error {
	server, err := r.d.NewSQLServer(a.Account, a.Logins...)
	if err == nil {
		r.keep(server)
	}
	return err
}

type createLogin struct {
	Server string `yaml:"sqlServer"`
	Login  string `yaml:"login"`
}

func (a *createLogin) check(s *scope, n *node) {
	s.result(argument(n, "sqlServer"), a.Server, "sqlServer")
}

func (a *createLogin) do(r *attempt) error {
	server, err := resultOf[*simulator.SQLServer](r, a.Server, "SQL Server")
	if err != nil {
		return err
	}
	return server.CreateLogin(a.Login)
}

type connectSQL struct {
	Container string `yaml:"container"`
	Server    string `yaml:"sqlServer"`
	// SPN is the name that a ticket is asked for, without a way round Kerberos.
	SPN string `yaml:"spn,omitempty"`
	// ConnectionString is read as SqlClient does: it gives the name, and NTLM where nobody has it.
	ConnectionString string `yaml:"connectionString,omitempty"`
	// User came to the container's service, and the service goes to the server in that name; see actFor.
	User    string            `yaml:"user,omitempty"`
	Arrived simulator.Arrival `yaml:"arrived,omitempty"`
	At      string            `yaml:"at,omitempty"`
}

func (a *connectSQL) check(s *scope, n *node) {
	inContainer{a.Container, ""}.check(s, n)
	s.result(argument(n, "sqlServer"), a.Server, "sqlServer")
	if given(a.SPN, a.ConnectionString) != 1 {
		s.d.fail(n.errorAt("either spn or connectionString"))
	}
	if a.User != "" {
		onBehalf{a.User, a.Arrived, a.At}.check(s, n)
	}
}

func (a *connectSQL) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err != nil {
		return err
	}
	server, err := resultOf[*simulator.SQLServer](r, a.Server, "SQL Server")
	if err != nil {
		return err
	}
	switch {
	case a.User != "":
		return c.App().ConnectFor(server, a.SPN, onBehalf{a.User, a.Arrived, a.At}.user())
	case a.ConnectionString == "":
		return c.App().ConnectTo(server, a.SPN)
	}
	protocol, err := c.App().Connect(server, a.ConnectionString)
	if err == nil {
		r.fact("protocol", protocol)
	}
	return err
}

// containerVerbs are what happens on a container host and in containers.
var containerVerbs = []verb{
	{"runContainer", false, "docker run on a host", func() action { return &runContainer{} }},
	{"rerunContainer", false, "docker rm -f, and docker run again with other options", func() action { return &rerunContainer{} }},
	{"stopContainer", false, "docker stop", func() action { return &stopContainer{} }},
	{"nltest", false, "nltest in a container", func() action { return &nltest{} }},
	{"klist", false, "klist, klist get or klist purge in a container", func() action { return &klist{} }},
	{"whoami", false, "whoami in a container", func() action { return &whoami{} }},
	{"dirSYSVOL", false, `dir \\DOMAIN\SYSVOL in a container`, func() action { return &dirSYSVOL{} }},
	{"inboundKerberos", false, "sign in to the service of a container, or to a host, with Kerberos", func() action { return &inboundKerberos{} }},
	{"inboundNTLM", false, "sign in to a container's service with NTLM", func() action { return &inboundNTLM{} }},
	{"translateSID", false, "ask in a container for the SID of a name, or the name of a SID", func() action { return &translateSID{} }},
	{"sqlServer", false, "start a SQL Server that runs as a user", func() action { return &sqlServer{} }},
	{"createLogin", false, "CREATE LOGIN … FROM WINDOWS", func() action { return &createLogin{} }},
	{"connectSQL", false, "connect from a container with Integrated Security", func() action { return &connectSQL{} }},
}
