package setup

import (
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/credspec/arn"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// Task is an ECS task definition, in any of the forms in which it is written: the API's JSON, a template of CloudFormation, a resource of
// Terraform, the state of an agent, or the list of its containers alone.
type Task struct {
	Document *Document
	// Node is the definition; of a list of containers, the list.
	Node *source.Node
	// Whole is false where only the containers are known, so that a setting of the task which is not there may be elsewhere.
	Whole      bool
	Containers []*TaskContainer
	// OS is "windows", "linux" or "", Release a release of Windows Server, and OSNode what says so.
	OS, Release string
	OSNode      *source.Node
	// Fargate: the definition is to be valid for Fargate; FargateNode says so.
	Fargate     bool
	FargateNode *source.Node
	// ExecutionRole is executionRoleArn; nil: not given.
	ExecutionRole *Text
	// Region is where the task runs and RegionNode what says so; "": nothing does.
	Region     string
	RegionNode *source.Node
}

// TaskContainer is a container of a task definition.
type TaskContainer struct {
	Task *Task
	Node *source.Node
	Name string
	// Specs are the entries of credentialSpecs, and SpecsKey its key; nil: it is not there.
	Specs    []*Entry
	SpecsKey *source.Node
	// Security are the entries of dockerSecurityOptions, or of SecurityOpt in an agent's state.
	Security    []*Entry
	SecurityKey *source.Node
	// Use is what the agent makes of them; nil: nothing names a credential spec.
	Use *Use
}

// Mode is how an entry says that the host shall sign in.
type Mode string

// The modes. Of an entry whose beginning only the deployment knows the mode is [ModeOpen].
const (
	ModeJoined     Mode = "credentialspec"
	ModeDomainless Mode = "credentialspecdomainless"
	ModeNone       Mode = ""
	ModeOpen       Mode = "?"
)

// Entry is one entry of credentialSpecs or dockerSecurityOptions.
type Entry struct {
	*Text
	Mode Mode
	// From is the offset in Value at which the place of the credential spec begins, behind the prefix; 0 without one.
	From int
	// Source is the kind of place; FromUnknown also where only the deployment knows.
	Source SourceKind
}

// Place is where the credential spec is: file://…, an ARN.
func (e *Entry) Place() string { return e.Value[e.From:] }

// IsSpec tells whether an entry of dockerSecurityOptions is meant to name a credential spec.
func (e *Entry) IsSpec() bool {
	head := strings.ToLower(e.Value)
	return e.Mode != ModeNone && e.Mode != ModeOpen || strings.HasPrefix(head, "credentialspec") || strings.HasPrefix(head, "domainlesscredentialspec")
}

// Entries are all entries that name a credential spec, those of credentialSpecs first.
func (c *TaskContainer) Entries() []*Entry {
	list := slices.Clone(c.Specs)
	for _, e := range c.Security {
		if e.IsSpec() {
			list = append(list, e)
		}
	}
	return list
}

func newEntry(t *Text) *Entry {
	e := &Entry{Text: t, Source: FromUnknown}
	switch {
	case strings.HasPrefix(t.Value, string(ModeJoined)+":"):
		e.Mode = ModeJoined
	case strings.HasPrefix(t.Value, string(ModeDomainless)+":"):
		e.Mode = ModeDomainless
	case strings.HasPrefix(t.Value, Unknown):
		e.Mode = ModeOpen
	default:
		// what stands behind another prefix still has a place
		if i := strings.IndexAny(t.Value, ":="); i > 0 && strings.Contains(strings.ToLower(t.Value[:i]), "credentialspec") {
			e.From = i + 1
		}
	}
	if e.Mode == ModeJoined || e.Mode == ModeDomainless {
		e.From = len(e.Mode) + 1
	}
	place := e.Place()
	switch section := strings.SplitN(place, ":", 4); {
	case strings.HasPrefix(place, "file://"):
		e.Source = FromFile
	case len(section) == 4 && section[0] == "arn" && section[2] == "s3":
		e.Source = FromS3
	case len(section) == 4 && section[0] == "arn" && section[2] == "ssm":
		e.Source = FromSSM
	}
	return e
}

// field is a member by the name of the API: containerDefinitions, in CloudFormation ContainerDefinitions, in Terraform container_definitions.
func field(n *source.Node, name string) *source.Node {
	_, v := fieldOf(n, name)
	return v
}

func fieldOf(n *source.Node, name string) (key, value *source.Node) {
	for _, spelling := range []string{name, strings.ToUpper(name[:1]) + name[1:], snake(name)} {
		if v := n.Get(spelling); v != nil {
			if isNoValue(v) {
				return nil, nil
			}
			return n.Key(spelling), v
		}
	}
	return nil, nil
}

func snake(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// list is the items of an array. Terraform writes a block that may stand several times as a list or as the block itself, and Fn::If has a list
// in each branch: the first counts.
func list(n *source.Node) []*source.Node {
	name, args := intrinsic(n)
	if name == "If" {
		for _, branch := range args.List()[min(1, len(args.List())):] {
			if branch.Kind == source.Array && name != "" {
				return branch.List()
			}
		}
		return nil
	}
	return n.List()
}

const typeTask = "AWS::ECS::TaskDefinition"

const typeTerraformTask = "aws_ecs_task_definition"

// isTerraformTask tells whether a document has task definitions of Terraform's AWS provider.
func isTerraformTask(root *source.Node) bool {
	found := false
	each(root, "resource", func(n *source.Node) { found = found || n.Get(typeTerraformTask) != nil })
	return found
}

func isECS(root *source.Node) bool {
	switch {
	case len(field(root, "containerDefinitions").List()) > 0, len(field(root.Get("taskDefinition"), "containerDefinitions").List()) > 0:
		return true
	case isTerraformTask(root):
		return true
	case root.Get("Data", "TaskEngine", "Tasks").List() != nil:
		return true
	}
	for _, r := range root.Get("Resources").Map() {
		if r.Value.Get("Type").String() == typeTask {
			return true
		}
	}
	for _, c := range root.List() {
		if (field(c, "credentialSpecs") != nil || field(c, "dockerSecurityOptions") != nil) && (field(c, "image") != nil || field(c, "name") != nil) {
			return true
		}
	}
	return false
}

func (s *Setup) readECS(d *Document) {
	r := &resolver{template: d.Root, left: maxPieces, fills: isTerraformTask(d.Root)}
	add := func(definition, containers *source.Node, whole bool) {
		t := &Task{Document: d, Node: definition, Whole: whole}
		if containers.String() != "" {
			containers = r.inside(d, containers)
		}
		t.settings(r)
		for _, c := range list(containers) {
			if c.Kind == source.Object {
				t.container(d, r, c)
			}
		}
		t.guessOS()
		for _, c := range t.Containers {
			if u := c.use(); u != nil {
				c.Use = u
				s.Uses = append(s.Uses, u)
			}
		}
		s.Tasks = append(s.Tasks, t)
	}
	root := d.Root
	switch {
	case root.Kind == source.Array:
		add(root, root, false)
	case root.Get("Resources") != nil:
		for _, m := range root.Get("Resources").Map() {
			if m.Value.Get("Type").String() == typeTask {
				p := m.Value.Get("Properties")
				add(p, field(p, "containerDefinitions"), true)
			}
		}
	case r.fills:
		each(root, "resource", func(resources *source.Node) {
			labelled(resources, typeTerraformTask, func(_ string, n *source.Node) {
				add(n, field(n, "containerDefinitions"), true)
			})
		})
	case root.Get("Data") != nil:
		for _, task := range root.Get("Data", "TaskEngine", "Tasks").List() {
			add(task, task.Get("Containers"), false)
		}
	default:
		definition := root
		if t := root.Get("taskDefinition"); t != nil {
			definition = t
		}
		// The state of an agent names its resources and leaves out what the agent no longer needs.
		add(definition, field(definition, "containerDefinitions"), definition.Get("resources") == nil)
	}
}

// inside reads container definitions that are JSON in a string. What is wrong with them is a fault of the document.
func (r *resolver) inside(d *Document, n *source.Node) *source.Node {
	if strings.HasPrefix(strings.TrimSpace(n.Text), "${") {
		return nil // an expression of Terraform
	}
	if n.Open && !strings.Contains(n.Text, "${") {
		return nil // one that is no string
	}
	root, faults := source.ParseJSON(n.Inside())
	d.Faults = append(d.Faults, faults...)
	return root
}

// settings reads what the definition says of the whole task.
func (t *Task) settings(r *resolver) {
	if n := field(t.Node, "executionRoleArn"); n != nil {
		t.ExecutionRole = r.text(n)
	}
	for _, n := range list(field(t.Node, "requiresCompatibilities")) {
		if n.String() == "FARGATE" {
			t.Fargate, t.FargateNode = true, n
		}
	}
	platform := field(t.Node, "runtimePlatform")
	for _, p := range append(platform.List(), platform) {
		n := field(p, "operatingSystemFamily")
		switch family, isWindows := strings.CutPrefix(strings.ToUpper(n.String()), "WINDOWS_SERVER_"); {
		case n.String() == "":
		case isWindows:
			t.OS, t.OSNode = "windows", n
			year, _, _ := strings.Cut(family, "_")
			t.Release = map[string]string{"2016": "ltsc2016", "2019": "ltsc2019", "2022": "ltsc2022", "2025": "ltsc2025", "2004": "2004", "20H2": "20h2"}[year]
		case strings.EqualFold(n.String(), "LINUX"):
			t.OS, t.OSNode = "linux", n
		}
	}
	for _, key := range []string{"taskDefinitionArn", "taskArn", "Arn"} {
		n := field(t.Node, key)
		if a, err := arn.Parse(n.String()); err == nil && a.Service == "ecs" {
			t.Region, t.RegionNode = a.Region, n
		}
	}
}

// guessOS tells the operating system of a definition that does not say it.
func (t *Task) guessOS() {
	if t.OS != "" {
		return
	}
	if mode := field(t.Node, "networkMode"); slices.Contains([]string{"bridge", "host", "none"}, mode.String()) {
		t.OS, t.OSNode = "linux", mode // Amazon ECS developer guide, task definition parameters: Windows has default and awsvpc
		return
	}
	for _, p := range list(field(t.Node, "placementConstraints")) {
		text := strings.ToLower(strings.ReplaceAll(field(p, "expression").String(), " ", ""))
		for _, os := range []string{"windows", "linux"} {
			if strings.Contains(text, "ecs.os-type=="+os) {
				t.OS, t.OSNode = os, field(p, "expression")
				return
			}
		}
	}
	for _, c := range t.Containers {
		if n := field(c.Node, "linuxParameters"); n != nil {
			t.OS, t.OSNode = "linux", n
			return
		}
		if n := field(c.Node, "image"); n.String() != "" {
			if os, release := ImageOS(n.Text); os != "" {
				t.OS, t.Release, t.OSNode = os, release, n
				return
			}
		}
	}
	if t.Fargate { // Amazon ECS developer guide, runtimePlatform: LINUX is the default on Fargate
		t.OS, t.OSNode = "linux", t.FargateNode
	}
}

func (t *Task) container(d *Document, r *resolver, n *source.Node) {
	c := &TaskContainer{Task: t, Node: n, Name: field(n, "name").String()}
	key, specs := fieldOf(n, "credentialSpecs")
	c.SpecsKey = key
	for _, item := range list(specs) {
		c.Specs = append(c.Specs, newEntry(r.text(item)))
	}
	key, security := fieldOf(n, "dockerSecurityOptions")
	if key == nil {
		if host := n.Get("dockerConfig", "hostConfig"); host.String() != "" {
			// An agent keeps HostConfig of the engine's API as text (amazon-ecs-agent, agent/api/container).
			inside, faults := source.ParseJSON(host.Inside())
			d.Faults = append(d.Faults, faults...)
			key, security = inside.Key("SecurityOpt"), inside.Get("SecurityOpt")
		}
	}
	c.SecurityKey = key
	for _, item := range list(security) {
		c.Security = append(c.Security, newEntry(r.text(item)))
	}
	if t.Region == "" {
		if logs := field(n, "logConfiguration"); logs != nil {
			if region := field(logs, "options").Get("awslogs-region"); region.String() != "" && !strings.Contains(region.Text, "${") {
				t.Region, t.RegionNode = region.Text, region
			}
		}
	}
	t.Containers = append(t.Containers, c)
}

// use is what the agent makes of a container's entries: credentialSpecs before dockerSecurityOptions, the first of the one, the last of the
// other.
func (c *TaskContainer) use() *Use {
	entries := c.Entries()
	if len(entries) == 0 {
		return nil
	}
	e := entries[0]
	if len(c.Specs) == 0 {
		e = entries[len(entries)-1]
	}
	t := c.Task
	option := e.Node
	if e.filled {
		open := *option
		open.Open = true
		option = &open
	}
	u := &Use{
		Carrier: ECS, File: t.Document.File, Where: option, Name: c.Name, Container: c.Node, Source: e.Source, Option: option, OS: t.OS, Release: t.Release,
		Hostname: stringOf(field(c.Node, "hostname")), User: stringOf(field(c.Node, "user")), Image: stringOf(field(c.Node, "image")), Domainless: e.Mode == ModeDomainless,
	}
	if e.Known() {
		u.Value = strings.TrimPrefix(e.Place(), "file://")
	}
	if t.ExecutionRole != nil && t.ExecutionRole.Known() {
		u.Identity = t.ExecutionRole.Value
	}
	return u
}

func stringOf(n *source.Node) *source.Node {
	if n == nil || n.Kind != source.String {
		return nil
	}
	return n
}

// stored is the credential spec of an object of S3 or a parameter: a file of the set that has the name of its last part.
func (s *Setup) stored(u *Use) (*credspec.Document, Missing) {
	name := u.Value[strings.LastIndexAny(u.Value, "/:")+1:]
	for _, candidate := range []string{name, name + ".json"} {
		if name == "" {
			break
		}
		for _, d := range s.inFile[s.near(u.File, candidate)] {
			if d.Spec != nil {
				return d.Spec, NotMissing
			}
		}
	}
	return nil, NotHeld
}
