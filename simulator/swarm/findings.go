package swarm

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// findSource is the cause for which a service is not made: it names no source of a credential spec, more than one, or one that is not there.
func (s *Swarm) findSource(sv *service, cause error) error {
	f := diag.Finding{Code: diag.ServiceSpecRefused, Mode: "swarm-multi-source", SeenAs: []string{cause.Error()},
		Because: "a service takes its credential spec from one place: a config of the swarm, a file below CredentialSpecs on each node, or a value of each node's registry; raw:// is for docker run"}
	var configs []string
	for name := range s.configs {
		configs = append(configs, name)
	}
	slices.Sort(configs)
	f.Facts = []diag.Fact{{Name: "option", Value: sv.CredentialSpec}, {Name: "configs", Value: strings.Join(configs, ", ")}}
	image := "<image>"
	if sv.Image.Build != 0 {
		image = sv.Image.String()
	}
	use := func(text, value string) {
		do := simulator.FlowStep("with", "credentialSpec", value)
		if sv.Privileges != nil {
			f.Facts[0].Value = fmt.Sprintf("config %q, file %q, registry %q", sv.Privileges.Config, sv.Privileges.File, sv.Privileges.Registry)
			scheme, rest, _ := strings.Cut(value, "://")
			do = fmt.Sprintf("with: {privileges: {%s: %q}}", scheme, rest)
		}
		f.Help = append(f.Help, diag.Help{Text: text, Command: fmt.Sprintf("docker service create --name %s --credential-spec %s %s", cmp.Or(sv.Name, "<name>"), value, image), Do: []string{do}})
	}
	for _, name := range configs {
		use("name the config alone", "config://"+name)
	}
	if file := s.commonFile(); file != "" && len(configs) == 0 {
		use("name the file that the nodes have", "file://"+file)
	}
	if f.Help == nil {
		f.Help = []diag.Help{{Text: "make a config of the credential spec, which reaches every node by itself", Command: "docker config create <config> <credential spec>.json"}}
	}
	return f.With(cause)
}

// commonFile is the first credential spec that all Windows nodes have; "" for none.
func (s *Swarm) commonFile() string {
	var common []string
	first := true
	for _, n := range s.nodes {
		if n.host == nil {
			continue
		}
		have := n.host.CredentialSpecs()
		if first {
			common, first = have, false
		}
		common = slices.DeleteFunc(common, func(f string) bool { return !slices.Contains(have, f) })
	}
	if len(common) == 0 {
		return ""
	}
	return common[0]
}

// findNoNode is the cause for which a task stays pending, in the words of swarmkit's scheduler.
func (s *Swarm) findNoNode(sv *service, reasons map[string]int) error {
	text := "no suitable node"
	var list []string
	for _, why := range []string{whyConstraint, whyPlatform} {
		switch n := reasons[why]; {
		case n == 1:
			list = append(list, why+" on 1 node")
		case n > 1:
			list = append(list, fmt.Sprintf("%s on %d nodes", why, n))
		}
	}
	if list != nil {
		text += " (" + strings.Join(list, "; ") + ")"
	}
	return diag.Finding{Code: diag.NoSuitableNode, Mode: "swarm-mixed-os", SeenAs: []string{text}, Facts: []diag.Fact{{Name: "constraints", Value: strings.Join(sv.Constraints, ", ")}},
		Because: "a task goes to a node of the image's platform that meets all constraints, and waits until there is one",
		Help: []diag.Help{{Text: "ask for Windows nodes and for nothing that they do not have", Command: "docker service update --constraint-add node.platform.os==windows " + sv.Name,
			Do: []string{simulator.FlowStep("updateService", "name", sv.Name, "constraints", []string{"node.platform.os==windows"})}}}}.With(errors.New(text))
}

// findLinux is what a Linux node says of a Windows image (moby, image/store and distribution).
func (s *Swarm) findLinux(sv *service, t *task) error {
	text := `image operating system "windows" cannot be used on this platform: operating system is not supported`
	return diag.Finding{Code: diag.NoSuitableNode, Mode: "swarm-mixed-os", SeenAs: []string{text}, Facts: []diag.Fact{{Name: "node", Value: t.node.Name + ", linux"}},
		Because: "nothing ties the service to Windows: without the registry's answer the scheduler does not know the platform of the image",
		Help: []diag.Help{{Text: "ask for Windows nodes", Command: "docker service update --constraint-add node.platform.os==windows " + sv.Name,
			Do: []string{simulator.FlowStep("updateService", "name", sv.Name, "constraints", append(slices.Clone(sv.Constraints), "node.platform.os==windows"))}}}}.With(errors.New(text))
}

// explainStart looks for the cause of a rejected task.
func (s *Swarm) explainStart(err error, sv *service, t *task) error {
	f, ok := diag.Of(err)
	if !ok || sv.source.File == "" || !strings.HasPrefix(string(f.Code), "GMSA4") {
		return err
	}
	if _, there := t.node.host.ReadCredentialSpec(sv.source.File); there {
		return err
	}
	var with []string
	for _, n := range s.nodes {
		if n.host == nil {
			continue
		}
		if _, there := n.host.ReadCredentialSpec(sv.source.File); there {
			with = append(with, n.Name)
		}
	}
	help := diag.Help{Text: "put the file onto every node that may get a task", Command: "New-CredentialSpec -AccountName <account>"}
	if a := accountOf(s.d, sv.source.File); a != "" {
		help.Command = "New-CredentialSpec -AccountName " + a
		help.Do = []string{simulator.FlowStep("newCredentialSpec", "host", t.node.Name, "account", a)}
	}
	config := diag.Help{Text: "or keep the credential spec in a config, which the swarm brings to the node of the task", Command: fmt.Sprintf("docker config create <config> %s; docker service update --credential-spec config://<config> %s", sv.source.File, sv.Name)}
	if a := accountOf(s.d, sv.source.File); a != "" {
		name := strings.ToLower(a)
		config.Command = fmt.Sprintf("docker config create %s %s; docker service update --credential-spec config://%s %s", name, sv.source.File, name, sv.Name)
		config.Do = []string{simulator.FlowStep("createConfig", "name", name, "account", a), simulator.FlowStep("updateService", "name", sv.Name, "credentialSpec", "config://"+name)}
	}
	return f.About("swarm-file-missing-on-node", "each node reads the file from its own folder when it makes the container; a task that is rejected is tried on another node, so that it works sometimes",
		[]diag.Fact{{Name: "node", Value: t.node.Name}, {Name: "nodes with the file", Value: strings.Join(with, ", ")}}, help, config)
}

// accountOf is the account for which New-CredentialSpec would write a file of this name; "" for none.
func accountOf(d *simulator.Domain, file string) string {
	for _, a := range d.Config().ServiceAccounts {
		if strings.EqualFold(file, d.NetBIOSName()+"_"+strings.TrimSuffix(a.Name, "$")+".json") {
			return a.Name
		}
	}
	return ""
}

// explainInside looks for the cause of what a task shows in the service around it.
func (s *Swarm) explainInside(err error, sv *service, t *task) error {
	f, ok := diag.Of(err)
	if !ok || f.Code != diag.ChannelDisplaced || sv.Hostname == "" {
		return err
	}
	own := channelName(sv, t)
	var others []string
	for _, o := range sv.tasks {
		if o != t && o.run != nil && channelName(sv, o) == own {
			others = append(others, o.name(sv))
		}
	}
	if others == nil {
		return err
	}
	help := diag.Help{Text: "give each task a host name of its own, or none"}
	template := "t{{.Task.Slot}}-" + strings.ToLower(sv.Name)
	help.Do = []string{simulator.FlowStep("updateService", "name", sv.Name, "hostname", template)}
	help.Command = fmt.Sprintf("docker service update --hostname %q %s", template, sv.Name)
	if t.run.Options().Image.Build < windows.Build1809 {
		help = diag.Help{Text: "run one task for each service account: before 1809 the host name has to be the account's", Command: "docker service scale " + sv.Name + "=1",
			Do: []string{simulator.FlowStep("updateService", "name", sv.Name, "replicas", 1)}}
	}
	return f.About("swarm-replicas-same-hostname", "all tasks of the service have the same host name, and a DC keeps one session for each computer name",
		[]diag.Fact{{Name: "task", Value: t.name(sv)}, {Name: "same name", Value: strings.Join(others, ", ")}}, help)
}

func channelName(sv *service, t *task) string {
	return windows.ChannelName(windows.Channel{Hostname: t.hostname(sv)}, windows.Concurrency2025)
}
