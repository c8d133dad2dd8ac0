// Package servicefabric is a Service Fabric cluster whose nodes are simulated hosts, as far as a gMSA meets it: an application with a container
// host policy, which gives the container its host name and its credential spec, and the placement of its instances.
//
// Hosting never runs by itself: every call lets it catch up first. Source of the rules: the page "Set up gMSA for Windows containers running on
// Service Fabric".
package servicefabric

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Application is an application of one container service, as its manifest describes it.
type Application struct {
	Name  string        `json:"name" yaml:"name"` // without fabric:/
	Image windows.Image `json:"image,omitzero" yaml:"image,omitempty"`
	// Hostname is ContainerHostPolicies/@Hostname, which has to be the name of the service account.
	Hostname string `json:"hostname,omitempty" yaml:"hostname,omitempty"`
	// SecurityOption is SecurityOption/@Value: credentialspec=file://FILE.
	SecurityOption string `json:"securityOption,omitempty" yaml:"securityOption,omitempty"`
	// Isolation is ContainerHostPolicies/@Isolation.
	Isolation windows.Isolation `json:"isolation,omitempty" yaml:"isolation,omitempty"`
	// InstanceCount is how many nodes run it; -1: every node. Default 1.
	InstanceCount int `json:"instanceCount,omitempty" yaml:"instanceCount,omitempty"`
}

// Cluster is a cluster that runs. Its methods may be called from any goroutine, one at a time.
type Cluster struct {
	d *simulator.Domain

	mu    sync.Mutex
	nodes []*simulator.Host
	apps  []*application
}

type application struct {
	Application
	instances []*instance
}

type instance struct {
	node *simulator.Host
	run  *simulator.Running
	err  error
}

// New makes a cluster of hosts of d; none: all.
func New(d *simulator.Domain, nodes []string) (*Cluster, error) {
	c := &Cluster{d: d}
	if nodes == nil {
		c.nodes = d.Hosts()
	}
	for _, name := range nodes {
		h, ok := d.FindHost(name)
		if !ok {
			return nil, fmt.Errorf("no host %q in the domain", name)
		}
		c.nodes = append(c.nodes, h)
	}
	return c, nil
}

// Deploy is New-ServiceFabricApplication; for a name that there is, an upgrade, which makes the instances anew. That it succeeds does not mean
// that the instances run: see [Cluster.Health].
func (c *Cluster) Deploy(a Application) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.SecurityOption != "" && !strings.HasPrefix(a.SecurityOption, "credentialspec=") {
		return fmt.Errorf("SecurityOption %q: want credentialspec=file://FILE", a.SecurityOption)
	}
	if a.InstanceCount == 0 {
		a.InstanceCount = 1
	}
	if a.InstanceCount < 0 || a.InstanceCount > len(c.nodes) {
		a.InstanceCount = len(c.nodes)
	}
	for _, old := range c.apps {
		if old.Name == a.Name {
			for _, i := range old.instances {
				if i.run != nil && i.run.Runs() {
					i.run.Stop()
				}
			}
		}
	}
	c.apps = slices.DeleteFunc(c.apps, func(o *application) bool { return o.Name == a.Name })
	app := &application{Application: a}
	for _, n := range c.nodes[:a.InstanceCount] {
		app.instances = append(app.instances, &instance{node: n})
	}
	c.apps = append(c.apps, app)
	c.d.Record("ServiceFabric", "deploy fabric:/"+a.Name, "ok")
	c.syncLocked()
	return nil
}

// syncLocked starts the instances that do not run.
func (c *Cluster) syncLocked() {
	for _, app := range c.apps {
		for _, i := range app.instances {
			if i.run != nil && i.run.Runs() {
				continue
			}
			spec := strings.TrimPrefix(app.SecurityOption, "credentialspec=")
			i.run, i.err = i.node.Run(simulator.Container{Image: app.Image, Isolation: app.Isolation, Hostname: app.Hostname, CredentialSpec: spec})
			if i.err != nil {
				i.run, i.err = nil, c.explainStart(i.err, app, i)
			}
		}
	}
}

func (c *Cluster) find(name string) (*application, error) {
	for _, a := range c.apps {
		if a.Name == name {
			return a, nil
		}
	}
	return nil, fmt.Errorf("Get-ServiceFabricApplicationHealth : Application not found: fabric:/%s", name)
}

// Health is Get-ServiceFabricApplicationHealth. The error is the cause of the first instance that does not run.
func (c *Cluster) Health(name string) (text string, running int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.syncLocked()
	app, err := c.find(name)
	if err != nil {
		return "", 0, err
	}
	var b strings.Builder
	for _, i := range app.instances {
		if i.err == nil {
			running++
			fmt.Fprintf(&b, "%s: Ok\n", i.node.Name())
			continue
		}
		text := i.err.Error()
		if f, ok := diag.Of(i.err); ok && f.Cause != nil {
			text = f.Cause.Error()
		}
		// guess: the frame of System.Hosting is from memory of reports; what the engine says is in it
		fmt.Fprintf(&b, "%s: Error  System.Hosting  CodePackageActivation  There was an error during CodePackage activation. Failed to start Container. %s\n",
			i.node.Name(), strings.TrimPrefix(text, "docker: Error response from daemon: "))
		if err == nil {
			err = i.err
		}
	}
	return b.String(), running, err
}

// Exec is docker exec in the instance on a node: it types a line there, see [simulator.Process.Command].
func (c *Cluster) Exec(name, node, line string) (output string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.syncLocked()
	app, err := c.find(name)
	if err != nil {
		return "", err
	}
	for _, i := range app.instances {
		if !strings.EqualFold(i.node.Name(), node) {
			continue
		}
		if i.run == nil {
			return "", i.err
		}
		output, err = i.run.Command(line)
		return output, c.explainInside(err, app, i)
	}
	return "", fmt.Errorf("no instance of fabric:/%s on %s", name, node)
}

// deploy is the step that deploys an application with a change.
func deploy(app *application, hostname string) string {
	return simulator.FlowStep("deployApplication", "name", app.Name, "image", imageOf(app), "hostname", hostname, "securityOption", app.SecurityOption,
		"isolation", string(app.Isolation), "instanceCount", app.InstanceCount)
}

func imageOf(app *application) string {
	if app.Image.Build == 0 {
		return ""
	}
	return app.Image.String()
}

func (c *Cluster) explainInside(err error, app *application, i *instance) error {
	f, ok := diag.Of(err)
	if !ok || f.Code != diag.HostnameDiffers {
		return err
	}
	account := strings.ToLower(i.run.Account())
	return f.About("sf-hostname-mismatch", "Hostname of the container host policy is the container's host name, and before build 17763 Netlogon goes by it",
		[]diag.Fact{{Name: "Hostname", Value: app.Hostname}},
		diag.Help{Text: fmt.Sprintf("write the name of the service account into the policy, Hostname=%q in ContainerHostPolicies, and upgrade the application", account),
			Command: "Start-ServiceFabricApplicationUpgrade -ApplicationName fabric:/" + app.Name + " -ApplicationTypeVersion <version> -Monitored -FailureAction Rollback",
			Do:      []string{deploy(app, account)}})
}

func (c *Cluster) explainStart(err error, app *application, i *instance) error {
	f, ok := diag.Of(err)
	file, isFile := strings.CutPrefix(app.SecurityOption, "credentialspec=file://")
	if !ok || !isFile || !strings.HasPrefix(string(f.Code), "GMSA4") {
		return err
	}
	if _, there := i.node.ReadCredentialSpec(file); there {
		return err
	}
	var with []string
	for _, n := range c.nodes {
		if _, there := n.ReadCredentialSpec(file); there {
			with = append(with, n.Name())
		}
	}
	help := diag.Help{Text: "put the file onto every node of the cluster", Command: "New-CredentialSpec, on " + i.node.Name()}
	for _, a := range c.d.Config().ServiceAccounts {
		if strings.EqualFold(file, c.d.NetBIOSName()+"_"+strings.TrimSuffix(a.Name, "$")+".json") {
			help.Command = "New-CredentialSpec -AccountName " + a.Name
			help.Do = []string{simulator.FlowStep("newCredentialSpec", "host", i.node.Name(), "account", a.Name)}
		}
	}
	return f.About("sf-credspec-missing-node", "the node on which the instance is placed reads the file from its own folder, and the application package does not bring it along",
		[]diag.Fact{{Name: "node", Value: i.node.Name()}, {Name: "nodes with the file", Value: strings.Join(with, ", ")}}, help)
}
