package intake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// deployer turns the uses of a set of files into containers and steps of orchestrators: what the tool that reads the file makes of it, and
// nothing that it leaves out.
type deployer struct {
	p      *Papers
	w      *doctor.World
	report *Report
	host   string
	taken  map[string]bool // names of containers and ids of steps

	swarm, fabric bool // is there one
	ecs           map[string]bool
}

// deploy enters the uses of the set.
func (p *Papers) deploy(w *doctor.World, report *Report) error {
	if p.Setup == nil {
		return nil
	}
	if len(p.Setup.Uses) == 0 && !slices.ContainsFunc(p.Setup.Documents, func(d *setup.Document) bool { return d.Spec != nil }) {
		return &NothingError{p.Setup}
	}
	var host string
	if p.Domain != nil && p.Host == "" {
		host = w.Domain.Hosts[0].Name
	} else {
		var err error
		if host, err = p.host(w, report); err != nil {
			return err
		}
	}
	d := &deployer{p: p, w: w, report: report, host: host, taken: map[string]bool{}, ecs: map[string]bool{}}
	for _, c := range w.Containers {
		d.taken[c.Name] = true
	}
	d.kubernetes()
	for _, u := range p.Setup.Uses {
		d.host = p.hostFor(u, w, host)
		u = d.settled(u)
		switch u.Carrier {
		case setup.Docker, setup.Nomad, setup.OCI:
			d.docker(u)
		case setup.Compose:
			if p.Stack {
				d.stack(u)
			} else {
				d.compose(u)
			}
		case setup.Swarm:
			d.service(u, false)
		case setup.ServiceFabric:
			d.application(u)
		case setup.ECS:
			d.task(u)
		}
	}
	d.host = host
	if len(p.Setup.Uses) == 0 {
		d.alone()
	}
	for _, s := range w.Domain.ServiceAccounts {
		if r := (doctor.Reader{Host: host, Account: s.Name}); !slices.Contains(w.Readers, r) && len(w.Deploy) > 0 && d.used(s.Name) {
			w.Readers = append(w.Readers, r)
		}
	}
	return nil
}

// settled is a use whose file is named by a variable that has its value only when the file is used. It is taken for the only credential spec
// among the files, and otherwise for one that is good.
func (d *deployer) settled(u *setup.Use) *setup.Use {
	if u.Source != setup.FromFile || u.Spec != nil {
		return u
	}
	i := slices.IndexFunc(u.Options, func(o *setup.Option) bool { return o.Source == setup.FromFile && o.Value != nil && o.Value.Open })
	if i < 0 || u.Options[i].Via == setup.ViaSecurityOpt && u.Options[i] != lastSpec(u) {
		return u
	}
	settled, option := *u, *u.Options[i]
	settled.Value, settled.Missing = "credspec.json", setup.NotSupplied
	if specs := specsOf(d.p.Setup); len(specs) == 1 && !specs[0].Wrapped && specs[0].File.Outer() == nil {
		settled.Spec, settled.Missing = specs[0], setup.NotMissing
		settled.Value = path.Base(strings.ReplaceAll(specs[0].File.Name, `\`, "/"))
	}
	node, value := *option.Node, *option.Value
	node.Text = strings.TrimSuffix(node.Text, value.Text) + settled.Value
	value.Text = settled.Value
	option.Node, option.Value = &node, &value
	settled.Options = slices.Clone(u.Options)
	settled.Options[i] = &option
	d.say(&d.report.Assumed, u, u.Options[i].Node, "the file that %s names is known when it is used: %s", u.Options[i].Node.Text, settled.Value)
	return &settled
}

// hostFor is the host that runs a use: of assumed ones, that of its image's release.
func (p *Papers) hostFor(u *setup.Use, w *doctor.World, otherwise string) string {
	for _, h := range w.Domain.Hosts {
		if p.Domain != nil && p.Host == "" && (onLinux(u) && h.OS == "Linux" || !onLinux(u) && h.OS == releaseOf(u)) {
			return h.Name
		}
	}
	return otherwise
}

// A NothingError: no container of a set of files is to have a credential spec.
type NothingError struct{ Setup *setup.Setup }

func (e *NothingError) Error() string {
	for _, d := range e.Setup.Documents {
		switch {
		case d.Err != nil && d.Form == setup.FormKubernetes: // as kubectl says it
			return fmt.Sprintf("error parsing %s: error converting YAML to JSON: %v", d.File.Name, d.Err)
		case d.Err != nil:
			return fmt.Sprintf("%s: %v", d.File.Name, d.Err)
		case len(d.Faults) > 0:
			return fmt.Sprintf("%s:%s: %s", d.File.Name, d.Faults[0].Span().Start, d.Faults[0].Text)
		}
	}
	return "no container in the files is to have a credential spec, and no file is one; gmsasim check reads them all the same"
}

// used tells whether a credential spec of the set names an account; without any, the only account is.
func (d *deployer) used(account string) bool {
	specs := specsOf(d.p.Setup)
	for _, doc := range specs {
		if slices.ContainsFunc(accountsOf(doc.Spec()), func(a string) bool { return strings.EqualFold(a, account) }) {
			return true
		}
	}
	return len(specs) == 0 || len(d.w.Domain.ServiceAccounts) == 1
}

// say adds a remark about a use.
func (d *deployer) say(list *[]Remark, u *setup.Use, n *source.Node, format string, args ...any) {
	file, line := "", 0
	if n == nil {
		n = u.Where
	}
	if n != nil {
		at := n.Span()
		file, line = at.File.Name, at.Start.Line
	}
	remark(list, file, line, format, args...)
}

// name makes a name that nothing else has.
func (d *deployer) name(base string) string {
	base = strings.Trim(notInName.ReplaceAllString(base, "-"), "-")
	base = cmp.Or(base[:min(len(base), 40)], "app")
	name := base
	for n := 2; d.taken[name]; n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	d.taken[name] = true
	return name
}

// step adds a step of an orchestrator.
func (d *deployer) step(link, do, what string, args ...any) {
	d.w.Deploy = append(d.w.Deploy, doctor.Deployment{Step: link, What: fmt.Sprintf(what, args...), Do: do})
}

// flow writes a step with its arguments, as YAML's flow style has it.
func flow(verb string, args any) string { return verb + ": " + asJSON(args) }

// flowWithID writes a step that has a name.
func flowWithID(id, verb string, args any) string {
	return fmt.Sprintf("{id: %q, %s: %s}", id, verb, asJSON(args))
}

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("intake: %T has no JSON form: %v", v, err)) // maps, lists and texts have one
	}
	return string(text)
}

// args are the arguments of a step, of which empty ones are left out.
type args map[string]any

func (a args) text(key, value string) args {
	if value != "" {
		a[key] = value
	}
	return a
}

// look adds the looks into a container that an orchestrator placed: its credential spec, its channel and its tickets.
func (d *deployer) look(verb string, at args, container string) {
	dns, dc := d.w.DomainOf(d.host)
	for _, l := range []struct{ step, command, what string }{
		{"S5", "nltest /parentdomain", "%s has its credential spec"},
		{"S7", "nltest /sc_verify:" + dns, "%s has a secure channel"},
		{"S8", "klist get cifs/" + dc + "." + dns, "the service of %s gets tickets"},
	} {
		a := args{"command": l.command}
		for k, v := range at {
			a[k] = v
		}
		d.step(l.step, flow(verb, a), l.what, container)
	}
}

// image is the image of a use as the simulator has it; the zero value when its name does not tell the release.
func (d *deployer) image(u *setup.Use) windows.Image {
	text := u.Image.String()
	image, err := windows.ParseImage(text)
	if err != nil {
		if image, err = windows.ParseImage("servercore:" + u.Release); err != nil {
			if text != "" {
				d.say(&d.report.Assumed, u, u.Image, "%s is built on a Server Core of the host's release: its name does not say so", text)
			}
			return windows.Image{}
		}
	}
	return image
}

func (d *deployer) imageText(u *setup.Use) string {
	if image := d.image(u); image != (windows.Image{}) {
		return image.String()
	}
	return ""
}

// container is what docker run is told about everything but the credential spec.
func (d *deployer) container(u *setup.Use) doctor.Container {
	c := doctor.Container{Name: d.name(cmp.Or(u.Name, "app")), Host: d.host, Account: d.account(u)}
	c.Image = d.image(u)
	c.Hostname = u.Hostname.String()
	var err error
	if c.Isolation, err = windows.ParseIsolation(u.Isolation.String()); err != nil {
		d.say(&d.report.Ignored, u, u.Isolation, "isolation %q: %s", u.Isolation.String(), term(err.Error()))
	}
	if c.User, err = windows.ParseUser(u.User.String()); err != nil {
		d.say(&d.report.Ignored, u, u.User, "user %q: %s", u.User.String(), term("not taken over"))
	}
	return c
}

// account is the account of the world that the credential spec of a use names; "" when nothing tells.
func (d *deployer) account(u *setup.Use) string {
	list := accountsOf(u.Spec.Spec())
	if d.p.Account != "" {
		list = []string{strings.TrimSuffix(d.p.Account, "$")}
	}
	for _, name := range list {
		for _, s := range d.w.Domain.ServiceAccounts {
			if strings.EqualFold(s.Name, name) {
				return s.Name
			}
		}
	}
	return d.onlyAccount()
}

// onlyAccount is the one service account of the world; "" when there are several.
func (d *deployer) onlyAccount() string {
	if len(d.w.Domain.ServiceAccounts) == 1 {
		return d.w.Domain.ServiceAccounts[0].Name
	}
	return ""
}

// supply lays what a use refers to where its reader looks for it: a file into the folder of the host's engine.
func (d *deployer) supply(u *setup.Use) {
	switch u.Source {
	case setup.FromFile:
		name := path.Base(strings.ReplaceAll(u.Value, `\`, "/"))
		if u.Spec != nil {
			d.file(name, stored(u.Spec.File.Root()))
			return
		}
		if u.Missing == setup.NotSupplied {
			d.made(u, name)
		}
	case setup.FromRegistry:
		if account := d.account(u); account != "" {
			file := cmp.Or(u.Value, "spec") + ".json"
			d.step("S5", flow("newCredentialSpec", args{"host": d.host, "account": account, "fileName": file}), "%s has a credential spec of %s", d.host, account)
			d.step("S5", flow("setRegistrySpec", args{"host": d.host, "name": u.Value, "file": file}), "the registry of %s has it", d.host)
			d.say(&d.report.Assumed, u, nil, "the registry value %s holds a good credential spec of %s", u.Value, account)
		}
	}
}

// made supplies a file that is not among the set: one that New-CredentialSpec has written.
func (d *deployer) made(u *setup.Use, name string) {
	account := d.account(u)
	if account == "" || !strings.EqualFold(path.Ext(name), ".json") || d.taken["file "+d.host+" "+name] {
		return
	}
	d.taken["file "+d.host+" "+name] = true
	d.step("S5", flow("newCredentialSpec", args{"host": d.host, "account": account, "path": d.folder() + `\` + name}), "%s has the file %s", d.host, name)
	d.say(&d.report.Assumed, u, nil, "%s is not among the files: a good credential spec of %s", name, account)
}

// folder is the folder of credential specs of the host's engine.
func (d *deployer) folder() string {
	for _, h := range d.w.Domain.Hosts {
		if strings.EqualFold(h.Name, d.host) && h.DataRoot != "" {
			return h.DataRoot + `\CredentialSpecs`
		}
	}
	return `C:\ProgramData\docker\CredentialSpecs`
}

// file lays a file into the folder of the host's engine.
func (d *deployer) file(name string, text string) {
	d.w.Domain.Hosts = slices.Clone(d.w.Domain.Hosts)
	for i := range d.w.Domain.Hosts {
		h := &d.w.Domain.Hosts[i]
		if !strings.EqualFold(h.Name, d.host) || slices.ContainsFunc(h.SpecFiles, func(f simulator.SpecFile) bool { return strings.EqualFold(f.Name, name) }) {
			continue
		}
		h.SpecFiles = append(slices.Clone(h.SpecFiles), simulator.SpecFile{Name: name, Text: text})
	}
}

// stored is a file as it lies on the disk.
func stored(f *source.File) string { return string(source.Encode(f.Data, f.Encoding)) }

// docker is docker run, and everything that hands its options to the engine as they are.
func (d *deployer) docker(u *setup.Use) {
	d.supply(u)
	c := d.container(u)
	switch {
	case u.Carrier == setup.OCI && u.Source == setup.FromInline:
		c.CredentialSpec = "raw://" + u.Value
	case u.Command != nil && u.Command.Verb == "build":
		c.Handover = simulator.ByBuild
	}
	for _, o := range u.Options {
		switch {
		case o.Behind:
			d.say(&d.report.Warnings, u, o.Node, "%s stands behind the image: it is an argument of the container's command", o.Node.Text)
		case o.Via != setup.ViaSecurityOpt:
		case c.CredentialSpec == "" && o == lastSpec(u) && strings.HasPrefix(o.Node.Text, "credentialspec="):
			c.CredentialSpec = strings.TrimPrefix(o.Node.Text, "credentialspec=")
		default:
			c.SecurityOpts = append(c.SecurityOpts, o.Node.Text)
		}
	}
	d.w.Containers = append(d.w.Containers, c)
}

// lastSpec is the last option that names a credential spec.
func lastSpec(u *setup.Use) (last *setup.Option) {
	for _, o := range u.Options {
		if o.Via == setup.ViaSecurityOpt && !o.Behind && o.IsCredentialSpec() {
			last = o
		}
	}
	return last
}

// compose is docker compose up, which hands security_opt to the engine and has no use for credential_spec, see [simulator.ByComposeKey].
func (d *deployer) compose(u *setup.Use) {
	if lastSpec(u) != nil || len(members(u)) == 0 {
		d.docker(u)
		return
	}
	d.supply(u)
	c := d.container(u)
	c.Handover = simulator.ByComposeKey
	for _, o := range members(u) {
		c.CredentialSpec = o.Key + "://" + o.Node.Text
	}
	d.w.Containers = append(d.w.Containers, c)
}

// members are the members of a credential_spec or of the API's CredentialSpec.
func members(u *setup.Use) []*setup.Option {
	return slices.DeleteFunc(slices.Clone(u.Options), func(o *setup.Option) bool { return o.Via != setup.ViaMember })
}

// stack is docker stack deploy, which lists security_opt among the options that it ignores (docker/cli, cli/compose/types:
// UnsupportedProperties).
func (d *deployer) stack(u *setup.Use) {
	if lastSpec(u) != nil {
		d.say(&d.report.Warnings, u, nil, "docker stack deploy: %s", term("Ignoring unsupported options: security_opt"))
	}
	d.service(u, true)
}

// service is a swarm service.
func (d *deployer) service(u *setup.Use, stack bool) {
	if !d.swarm {
		d.swarm = true
		d.step("S6", flow("swarm", args{"nodes": d.nodes()}), "%s is a node of the swarm", d.host)
	}
	name := d.name(cmp.Or(u.Name, "service"))
	a := args{"name": name}.text("image", d.imageText(u)).text("hostname", u.Hostname.String())
	if u.Replicas > 0 {
		a["replicas"] = u.Replicas
	}
	privileges := args{}
	for _, o := range members(u) {
		privileges[strings.ToLower(o.Key)] = o.Node.Text
	}
	switch u.Source {
	case setup.FromConfig:
		d.config(u)
	case setup.FromFile, setup.FromRegistry:
		d.supply(u)
	}
	if stack {
		a["stack"] = true
	}
	if len(privileges) > 0 || u.Carrier == setup.Swarm && u.Command == nil {
		a["privileges"] = privileges
	}
	for _, o := range u.Options {
		if o.Via == setup.ViaServiceFlag && !o.Behind {
			a["credentialSpec"] = o.Node.Text
		}
	}
	d.step("S6", flow("createService", a), "the swarm takes the service %s", name)
	d.step("S6", flow("servicePs", name), "the tasks of %s run", name)
	d.look("taskExec", args{"service": name, "slot": 1}, name)
}

// config is docker config create for what a service names. A stack file has to say that there is one.
func (d *deployer) config(u *setup.Use) {
	if u.Spec != nil {
		d.step("S5", flow("createConfig", args{"name": u.Value, "text": stored(u.Spec.File.Root())}), "the swarm takes the config %s", u.Value)
		return
	}
	root := u.File.Root()
	for _, doc := range d.p.Setup.Documents {
		if u.Carrier == setup.Compose && doc.File == root && doc.Form == setup.FormCompose && doc.Root.Get("configs", u.Value) == nil {
			d.say(&d.report.Warnings, u, nil, "docker stack deploy: %s", term(fmt.Sprintf("undefined config %q", u.Value)))
			return
		}
	}
	if account := d.account(u); account != "" {
		d.step("S5", flow("createConfig", args{"name": u.Value, "account": account}), "the swarm has the config %s", u.Value)
		d.say(&d.report.Assumed, u, nil, "config %s is not among the files: a good credential spec of %s", u.Value, account)
	}
}

// nodes are the hosts of a cluster: of an assumed domain all of them, otherwise the one that was chosen.
func (d *deployer) nodes() []args {
	if d.p.Domain == nil {
		return []args{{"name": d.host}}
	}
	var list []args
	for _, h := range d.w.Domain.Hosts {
		list = append(list, args{"name": h.Name})
	}
	return list
}

// application is an application of Service Fabric.
func (d *deployer) application(u *setup.Use) {
	if !d.fabric {
		d.fabric = true
		d.step("S6", flow("serviceFabricCluster", args{"nodes": []string{d.host}}), "%s is a node of the cluster", d.host)
	}
	d.supply(u)
	name := d.name(cmp.Or(u.Name, "application"))
	a := args{"name": name}.text("image", d.imageText(u)).text("hostname", u.Hostname.String()).text("securityOption", u.Option.String()).text("isolation", isolationOf(u))
	d.step("S6", flow("deployApplication", a), "Service Fabric takes %s", name)
	d.step("S6", flow("applicationHealth", name), "%s is healthy", name)
	d.look("instanceExec", args{"application": name, "node": d.host}, name)
}

func isolationOf(u *setup.Use) string {
	isolation, err := windows.ParseIsolation(strings.ToLower(u.Isolation.String()))
	if err != nil {
		return ""
	}
	return string(isolation)
}

// task is a task of ECS, on an instance with an agent of today.
func (d *deployer) task(u *setup.Use) {
	linux := onLinux(u)
	const cluster = "ecs-cluster"
	if !d.taken[cluster] {
		d.taken[cluster] = true
		d.step("S6", fmt.Sprintf("{id: %s, ecsCluster: {}}", cluster), "a cluster")
	}
	if !d.ecs[d.host] {
		d.ecs[d.host] = true
		if linux {
			d.step("S6", flow("fetcher", args{"host": d.host}), "credentials-fetcher runs on %s", d.host)
		}
		d.step("S6", flow("ecsInstance", args{"cluster": cluster, "host": d.host}), "the agent of %s has registered", d.host)
	}
	options, role := d.entries(u)
	for _, option := range options {
		_, place, _ := strings.Cut(option, ":")
		if strings.HasPrefix(place, "file://") {
			d.supply(u)
		} else if strings.HasPrefix(place, "arn:") {
			d.put(u, cluster, place, linux)
		}
	}
	id := d.name(cmp.Or(u.Name, "task"))
	a := args{"cluster": cluster}.text("executionRole", role).text("hostname", u.Hostname.String())
	if image := d.imageText(u); image != "" && !linux {
		a["image"] = image
	}
	if linux {
		a["linux"] = true
	}
	if u.Fargate {
		a["launchType"] = "FARGATE"
	}
	if len(options) > 0 {
		a["credentialSpecs"] = options
	}
	d.step("S6", flowWithID(id, "runTask", a), "the task %s starts", id)
	if linux {
		return
	}
	dns, _ := d.w.DomainOf(d.host)
	d.step("S5", flow("nltest", args{"container": id, "command": "/parentdomain"}), "%s has its credential spec", id)
	d.step("S7", flow("nltest", args{"container": id, "command": "/sc_verify:" + dns}), "%s has a secure channel", id)
}

// Texts that a template leaves to its deployment.
const (
	assumedRole   = "arn:aws:iam::111122223333:role/ecsTaskExecutionRole"
	assumedBucket = "arn:aws:s3:::credential-specs/"
)

// entries are the entries of a task's credentialSpecs, and its execution role. What only the deployment of a template knows is taken for good.
func (d *deployer) entries(u *setup.Use) (options []string, role string) {
	for _, t := range d.p.Setup.Tasks {
		for _, c := range t.Containers {
			if c.Use != u {
				continue
			}
			if t.ExecutionRole != nil {
				if role = t.ExecutionRole.Value; !t.ExecutionRole.Known() {
					role = assumedRole
				}
			}
			entries := c.Specs
			if len(entries) == 0 {
				entries = c.Entries()
			}
			for _, e := range entries {
				if e.Known() {
					options = append(options, e.Value)
					continue
				}
				mode := cmp.Or(e.Mode, setup.ModeJoined)
				if mode == setup.ModeOpen {
					mode = setup.ModeJoined
				}
				shown := e.String()
				place := assumedBucket + cmp.Or(strings.Trim(shown[strings.LastIndexAny(shown, "/:*")+1:], " "), "credspec.json")
				options = append(options, string(mode)+":"+place)
				d.say(&d.report.Assumed, u, e.Node, "where %s leads to is known when the template is deployed: an object of S3", shown)
			}
		}
	}
	return options, role
}

// put is the object of S3 or the parameter that a task names.
func (d *deployer) put(u *setup.Use, cluster, arn string, linux bool) {
	a := args{"cluster": cluster, "arn": arn}
	switch account := d.account(u); {
	case u.Spec != nil:
		a["text"] = stored(u.Spec.File.Root())
	case account != "":
		a["account"] = account
		if u.Domainless {
			a["secret"] = assumedSecret
		}
		if linux {
			a["linux"] = true
		}
		d.say(&d.report.Assumed, u, nil, "%s is not among the files: a good credential spec of %s", arn, account)
	}
	d.step("S5", flow("putCredentialSpec", a), "%s is there", arn)
}

// alone is a set of credential specs that nothing uses: each is the spec of a container that is otherwise as docker makes it.
func (d *deployer) alone() {
	for _, doc := range specsOf(d.p.Setup) {
		if doc.Wrapped {
			continue // a GMSACredentialSpec, which the cluster has taken
		}
		root := doc.File.Root()
		name := path.Base(strings.ReplaceAll(root.Name, `\`, "/"))
		if name == "-" { // the standard input has no name
			name = "spec.json"
		}
		d.file(name, stored(root))
		u := &setup.Use{Carrier: setup.Docker, Spec: doc}
		c := doctor.Container{Name: d.name(strings.TrimSuffix(name, path.Ext(name))), Host: d.host, Account: d.account(u)}
		c.CredentialSpec = "file://" + name
		d.w.Containers = append(d.w.Containers, c)
		remark(&d.report.Assumed, root.Name, 0, "a container with this credential spec, of the host's release and otherwise as docker makes it")
	}
}
