package setup

import (
	"strings"

	"github.com/gmsasim/gmsasim/simulator/source"
)

func hclDocuments(f *source.File) []*Document {
	root, err := parseHCL(f)
	d := &Document{File: f, Root: root, Err: err, Form: recognise(root)}
	if d.Form == FormCompose || d.Form == FormUnknown && isTask(root) { // a part of a job, as documentation shows it
		d.Form = FormNomad
	}
	return []*Document{d}
}

// isNomad tells whether a document is a job: in HCL and its JSON form a block job, in the API's JSON an object Job, or the job itself.
func isNomad(root *source.Node) bool {
	return root.Get("job").Map() != nil && (hasBelow(root.Get("job"), "group", 2) || hasBelow(root.Get("job"), "task", 2)) ||
		root.Get("Job", "TaskGroups").List() != nil || root.Get("TaskGroups").List() != nil
}

// hasBelow tells whether an object, or one at most depth below it, has a member of a name.
func hasBelow(n *source.Node, name string, depth int) bool {
	if n.Get(name) != nil {
		return true
	}
	for _, m := range n.Map() {
		if depth > 0 && hasBelow(m.Value, name, depth-1) {
			return true
		}
	}
	for _, item := range n.List() {
		if depth > 0 && hasBelow(item, name, depth-1) {
			return true
		}
	}
	return false
}

// isTask tells whether a document is a task of a job or a part of one.
func isTask(root *source.Node) bool {
	return root.Get("group") != nil || root.Get("task") != nil || root.Get("driver") != nil && root.Get("config") != nil || root.Get("config", "security_opt") != nil
}

func (s *Setup) readNomad(d *Document) {
	api := d.Root
	if job := d.Root.Get("Job"); job != nil {
		api = job
	}
	for _, group := range api.Get("TaskGroups").List() {
		for _, task := range group.Get("Tasks").List() {
			s.nomadUse(d, nomadTask{
				name: task.Get("Name").String(), node: task, driver: task.Get("Driver"), user: task.Get("User"), config: task.Get("Config"), count: text(group.Get("Count")),
			})
		}
	}
	if d.Root.Get("job") == nil && isTask(d.Root) {
		s.nomadBody(d, d.Root, "", "")
		return
	}
	labelled(d.Root, "job", func(_ string, job *source.Node) { s.nomadBody(d, job, "", "") })
}

// labelled calls f for the bodies of all blocks of a type with one label. In JSON several bodies may be an array.
func labelled(n *source.Node, name string, f func(label string, body *source.Node)) {
	bodies := func(n *source.Node) []*source.Node {
		if n.List() != nil {
			return n.List()
		}
		return []*source.Node{n}
	}
	each(n, name, func(n *source.Node) {
		for _, n := range bodies(n) {
			for _, m := range n.Map() {
				for _, body := range bodies(m.Value) {
					f(m.Key.Text, body)
				}
			}
		}
	})
}

// nomadBody reads the tasks of a job, of a group, or of a part of one.
func (s *Setup) nomadBody(d *Document, n *source.Node, name, count string) {
	if n.Get("config") != nil {
		s.nomadUse(d, nomadTask{name: name, node: n, driver: n.Get("driver"), user: n.Get("user"), config: n.Get("config"), count: count})
	}
	labelled(n, "group", func(_ string, group *source.Node) {
		labelled(group, "task", func(name string, task *source.Node) { s.nomadBody(d, task, name, text(group.Get("count"))) })
	})
	labelled(n, "task", func(name string, task *source.Node) { s.nomadBody(d, task, name, count) })
}

type nomadTask struct {
	name                       string
	node, driver, user, config *source.Node
	count                      string
}

// nomadUse is the container of a task (Nomad's docker driver: its config is handed to docker).
func (s *Setup) nomadUse(d *Document, t nomadTask) {
	config := t.config
	if l := config.List(); len(l) == 1 {
		config = l[0]
	}
	u := &Use{
		Carrier: Nomad, File: d.File, Name: t.name, Container: t.node, Where: config, User: t.user, Driver: t.driver,
		Hostname: config.Get("hostname"), Isolation: config.Get("isolation"), Image: config.Get("image"), Replicas: number(t.count),
	}
	for _, item := range config.Get("security_opt").List() {
		if item.Kind == source.String && len(u.Options) < maxOptions {
			u.Options = append(u.Options, securityOption(item))
		}
	}
	if !namesSpec(u.Options) {
		return
	}
	for _, n := range []*source.Node{u.Image, u.Hostname, u.User} {
		// What Nomad itself puts in, ${NOMAD_TASK_NAME} or ${node.unique.name}, is known when the task runs.
		if n.String() != "" && strings.Contains(n.Text, "${") {
			n.Open = true
		}
	}
	u.choose()
	u.system()
	s.Uses = append(s.Uses, u)
}
