package ecs

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/credspec/consumer"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// refuse is a refusal in the agent's words, with its finding.
func (c *Cluster) refuse(t Task, code diag.Code, mode, says, because string, do []string) *diag.Finding {
	e, _ := diag.Lookup(code)
	f := &diag.Finding{Code: code, Title: e.Title, Mode: mode, SeenAs: []string{says}, Because: because, Cause: errors.New(says),
		Facts: []diag.Fact{{Name: "cluster", Value: c.name}, {Name: "credentialSpecs", Value: strings.Join(t.CredentialSpecs, ", ")}}}
	f.Help = []diag.Help{{Text: "correct the task definition and run the task again", Command: "aws ecs register-task-definition --cli-input-json file://<task definition>.json; aws ecs run-task --cluster " + c.name + " --task-definition <task definition>", Do: do}}
	return f
}

// withSpecs changes the credential spec of a task.
func withSpecs(spec string) string { return fmt.Sprintf("with: {credentialSpecs: [%q]}", spec) }

// suggest is the credential spec that the cluster has, in the form that the task definition wants.
func (c *Cluster) suggest(t Task) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, arn := range slices.Sorted(maps.Keys(c.objects)) {
		if _, err := consumer.AgentPlace(prefixJoined + arn); err != nil {
			continue
		}
		if strings.HasPrefix(t.CredentialSpecs[0], prefixDomainless) {
			return []string{withSpecs(prefixDomainless + arn)}
		}
		return []string{withSpecs(prefixJoined + arn)}
	}
	return nil
}

// toEC2 lets a task run on instances of the cluster.
func (c *Cluster) toEC2(t Task, o *option) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range c.instances {
		if isLinux(c.d.Host(i.host)) == t.Linux && len(i.attrs) > 0 {
			return []string{"with: {launchType: EC2}"}
		}
	}
	return nil
}

// noInstance says why no instance can run a task.
func (c *Cluster) noInstance(t Task, o *option, need string, family []*Instance) *diag.Finding {
	f := c.refuse(t, diag.ECSNoInstance, "", "was unable to place a task because no container instance met all of its requirements. The closest matching container-instance is missing an attribute required by your task.",
		"an agent announces what its host can do when it starts, and a task is placed only where all that it asks for was announced", nil)
	f.Facts = append(f.Facts, diag.Fact{Name: "missing", Value: need})
	f.Help = nil
	for _, i := range family {
		h := c.d.Host(i.host)
		f.Facts = append(f.Facts, diag.Fact{Name: i.host, Value: fmt.Sprintf("%s: {%s}", h.OS(), strings.Join(i.attrs, ", "))})
		register := fmt.Sprintf("ecsInstance: {cluster: %s, host: %s}", c.name, i.host)
		text, command, do := "set ECS_GMSA_SUPPORTED and start the agent again", "echo ECS_GMSA_SUPPORTED=true >> /etc/ecs/ecs.config; systemctl restart ecs", []string{register}
		if !t.Linux {
			command = `[Environment]::SetEnvironmentVariable("ECS_GMSA_SUPPORTED", "true", "Machine"); Restart-Service AmazonECS`
		}
		switch {
		case o.domainless && !t.Linux:
			f.Mode = "ecs-domainless-2016"
			os, err := h.Windows()
			hasPlugin := slices.ContainsFunc(h.Plugins(), func(p simulator.Plugin) bool { return p.Kind == simulator.AWSPlugin })
			switch {
			case err == nil && os.Build < windows.Build1809:
				text, command, do = "take an instance of Windows Server 2019 or later", "", nil
				for _, other := range c.d.Hosts() {
					if os, err := other.Windows(); err == nil && !isLinux(other) && os.Build >= windows.Build1809 {
						do = []string{fmt.Sprintf("ecsInstance: {cluster: %s, host: %s}", c.name, other.Name())}
						break
					}
				}
				if do == nil && hasPlugin {
					do = []string{fmt.Sprintf("upgradeHost: {host: %s, os: Windows Server 2019}", i.host), register}
				}
			case !hasPlugin:
				text, command = "install the plug-in of AWS and start the agent again", "Initialize-ECSAgent -Cluster "+c.name+" -EnableTaskIAMRole"
				do = []string{fmt.Sprintf("installPlugin: {host: %s, kind: AWS}", i.host), register}
			}
		case !t.Linux && !h.Joined():
			f.Mode = "ecs-not-domain-joined"
			text, command = "join the instance to the domain and start the agent again", "Add-Computer -DomainName "+c.d.DNSName()+" -Restart"
			do = []string{fmt.Sprintf("joinHost: {name: %s}", i.host), register}
		}
		f.Help = append(f.Help, diag.Help{Text: text, Command: command, Do: do})
	}
	return f
}

// read is what the agent of the operating system makes of a credential spec, and its finding when that is nothing.
func (c *Cluster) read(t Task, o *option, text []byte, linux bool) (consumer.Outcome, error) {
	var read consumer.Outcome
	var err error
	if linux {
		read, err = consumer.AgentLinux(text, o.domainless, strings.Contains(o.where, ":s3:"))
	} else {
		read, err = consumer.AgentWindows(text, o.domainless, "task/"+c.name)
	}
	says := ""
	switch {
	case err != nil:
		says = err.Error()
	case read.Silent != "":
		says = consumer.NoMapping
	default:
		return read, nil
	}
	if !o.domainless || read.Silent != "" && read.Secret != "" {
		return read, c.refuse(t, diag.ECSSpecRefused, "", says, "the agent reads the account and its domain out of DomainJoinConfig, and keeps no ticket for a credential spec without them", nil)
	}
	var do []string
	account := accountOf(text)
	if secret := c.secretName(); secret != "" && account != "" && strings.HasPrefix(o.where, "arn:") {
		do = []string{fmt.Sprintf("putCredentialSpec: {cluster: %s, arn: %q, account: %q, secret: %q, linux: %v}", c.name, o.where, account, secret, linux)}
	}
	f := c.refuse(t, diag.ECSNoSection, "ecs-hostaccountconfig-missing", says,
		"a domainless task signs in as a user whose secret the section names; the agent of Windows wants PluginInput as a text, that of Linux as an object", do)
	f.Help[0].Text = "write the section HostAccountConfig into the credential spec, with the ARN of the secret"
	f.Help[0].Command = "aws s3 cp <credential spec>.json s3://<bucket>/<credential spec>.json"
	if object, ok := strings.CutPrefix(o.where, "arn:aws:s3:::"); ok {
		f.Help[0].Command = "aws s3 cp " + object[strings.LastIndexByte(object, '/')+1:] + " s3://" + object
	}
	return read, f
}

// secretName is the first secret of Secrets Manager that the domain's configuration has.
func (c *Cluster) secretName() string {
	for _, s := range c.d.Config().Secrets {
		if strings.HasPrefix(s.Name, "arn:") && strings.Contains(s.Name, ":secretsmanager:") {
			return s.Name
		}
	}
	return ""
}

// accountOf is the account of a credential spec.
func accountOf(text []byte) string {
	var v struct {
		DomainJoinConfig struct{ MachineAccountName string }
	}
	_ = json.Unmarshal(text, &v) // "" says that there is none
	return v.DomainJoinConfig.MachineAccountName
}
