package kubernetes

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// explainInside looks for the cause of what a container of a pod shows in the cluster around it. What the cluster has no part in stays
// what the domain says.
func (c *Cluster) explainInside(err error, p *pod, s *started) error {
	f, ok := diag.Of(err)
	if !ok {
		return err
	}
	var g *diag.Finding
	switch f.Code {
	case diag.NoCredentialSpec:
		g = c.notExpanded(f, p, s)
	case diag.ChannelDisplaced:
		g = c.sameComputerName(f, p)
	case diag.DNSFindsNoDC:
		g = c.podDNS(f, p, s)
	case diag.SpecDomainName:
		g = c.tenant(f, p, s)
	case diag.ServiceTooEarly:
		g = c.tooEarly(f, p, s)
	case diag.PluginNotStarted:
		g = c.notEnabled(f, p)
	case diag.DCUnreachable:
		g = c.noRoute(f, p)
	case diag.NotAllowed:
		g = c.wrongNode(f, p, s)
	}
	if g == nil {
		g = c.rewritten(f, p)
	}
	if g == nil {
		return err
	}
	return g
}

// specCodes are about the contents of a credential spec.
var specCodes = []diag.Code{diag.SpecFieldMissing, diag.SpecAccountName, diag.SpecDomainName, diag.SpecNoEntry, diag.SpecSID, diag.SpecGUID, diag.SpecUnreadable}

// rewritten is about contents that are wrong: what repairs them is the object, not an option of docker run. nil when f is about something else.
func (c *Cluster) rewritten(f *diag.Finding, p *pod) *diag.Finding {
	options, _, _ := p.manifest.settings()
	name := options.GMSACredentialSpecName
	if !slices.Contains(specCodes, f.Code) || name == "" {
		return nil
	}
	var doc struct {
		DomainJoinConfig struct{ MachineAccountName string }
	}
	if json.Unmarshal(c.specs[name], &doc) != nil || doc.DomainJoinConfig.MachineAccountName == "" {
		return nil
	}
	// The module takes the SAM name without what does not belong to it.
	account := doc.DomainJoinConfig.MachineAccountName
	account, _, _ = strings.Cut(strings.TrimSuffix(account[strings.LastIndexByte(account, '\\')+1:], "$"), ".")
	g := *f
	c.sayDropped(&g, name)
	g.Help = []diag.Help{{Text: "write the object anew from the directory, and make the pod again, which has a copy",
		Command: fmt.Sprintf(`.\GenerateCredentialSpecResource.ps1 -AccountName %s -ResourceName %s -ManifestFile %[2]s.yml; kubectl apply -f %[2]s.yml; %s`, account, name, p.replaceCommand()),
		Do:      []string{simulator.FlowStep("applyCredentialSpec", "name", name, "account", account), p.again()}}}
	return &g
}

// sayDropped adds what the API server has left out of an object.
func (c *Cluster) sayDropped(f *diag.Finding, name string) {
	if dropped := c.dropped[name]; len(dropped) > 0 {
		f.Facts = append(slices.Clone(f.Facts), diag.Fact{Name: "dropped", Value: strings.Join(dropped, ", ")})
		f.Because += "; the API server drops what its schema does not have, letters' case included, without a word"
	}
}

// notExpanded tells why the credential spec of a pod has not reached its container.
func (c *Cluster) notExpanded(f *diag.Finding, p *pod, s *started) *diag.Finding {
	options, _, _ := p.manifest.settings()
	asked := options.GMSACredentialSpecName
	initOnly := func(k Container) bool {
		return k.Name == s.Name && k.SecurityContext.WindowsOptions.GMSACredentialSpecName != ""
	}
	i := slices.IndexFunc(p.spec.InitContainers, initOnly)
	facts := []diag.Fact{{Name: "pod", Value: p.spec.Namespace + "/" + p.spec.Name}, {Name: "container", Value: s.Name}}
	again := func(do ...string) []string { return append(do, p.again()) }
	g := func(mode, because string, help ...diag.Help) *diag.Finding {
		r := f.About(mode, because, facts, help...)
		r.Code = diag.SpecNotExpanded
		r = r.With(f.Cause)
		r.Help = help // that docker run takes an option does not help here
		return r
	}
	switch {
	case p.dropped:
		facts = append(facts, diag.Fact{Name: "version", Value: c.version}, diag.Fact{Name: "feature gates", Value: strings.Join(c.gates, ", ")})
		because := "a version drops what it does not know without a word: annotations from 1.16 on, windowsOptions before, both while the gate WindowsGMSA is off"
		upgrade := diag.Help{Text: "turn the gate on in the API server and in every kubelet, or take 1.18 or later", Command: "kube-apiserver --feature-gates=WindowsGMSA=true; kubelet --feature-gates=WindowsGMSA=true",
			Do: again(`upgradeCluster: {version: "1.18"}`)}
		if len(annotated(&p.manifest)) == 0 {
			return g("k8s-feature-gate-off", because, upgrade)
		}
		name := p.manifest.Annotations[podAnnotation+"-name"]
		move := diag.Help{Text: "move the settings from annotations to securityContext.windowsOptions", Command: p.changeCommand(),
			Do: p.changed(true, func(m *Pod) {
				m.Annotations = nil
				m.SecurityContext.WindowsOptions.GMSACredentialSpecName = name
			})}
		if !c.gmsa() {
			move = diag.Help{Text: upgrade.Text, Command: upgrade.Command, Do: again("upgradeCluster: {featureGates: [\"WindowsGMSA=true\"]}")}
		}
		return g("k8s-feature-gate-off", because, move)
	case i >= 0:
		name := p.spec.InitContainers[i].SecurityContext.WindowsOptions.GMSACredentialSpecName
		return g("k8s-initcontainers-not-covered", "the webhook looks at the pod and at its containers, not at init containers; what stands at the pod holds for them too",
			diag.Help{Text: "name the credential spec at the pod, in spec.securityContext.windowsOptions.gmsaCredentialSpecName", Command: p.changeCommand(), Do: p.changed(true, func(m *Pod) {
				m.InitContainers[i].SecurityContext.WindowsOptions.GMSACredentialSpecName = ""
				m.SecurityContext.WindowsOptions.GMSACredentialSpecName = name
			})})
	case asked == "":
		return nil
	case p.expanded:
		return nil
	}
	if !p.hooked {
		do := []string{}
		if c.webhook == nil {
			do = append(do, "installWebhook: {}")
		}
		return g("k8s-no-webhook", "a pod names a credential spec, and only the webhook puts the contents in its place; the kubelet passes contents on and ignores names",
			diag.Help{Text: "install the webhook and make the pod anew", Command: "helm install gmsa windows-gmsa/gmsa; " + p.replaceCommand(), Do: again(do...)})
	}
	if slices.Contains(c.disabled, p.spec.Namespace) {
		facts = append(facts, diag.Fact{Name: "label", Value: "gmsa-webhook=disabled on " + p.spec.Namespace})
		return g("k8s-no-webhook", "the webhook leaves out namespaces with this label, so nobody puts the contents in place of the name",
			diag.Help{Text: "take the label away and make the pod anew", Command: "kubectl label namespace " + p.spec.Namespace + " gmsa-webhook-; " + p.replaceCommand(),
				Do: again(simulator.FlowStep("enableWebhook", "", p.spec.Namespace))})
	}
	return g("k8s-webhook-down", "failurePolicy is Ignore, so the pod was made although the webhook did not answer, and nobody put the contents in place of the name",
		diag.Help{Text: "bring the webhook back, set failurePolicy to Fail, and make the pod anew",
			Command: "kubectl -n " + webhookNamespace + " scale deployment " + webhookService + " --replicas=2; " + p.replaceCommand(),
			Do:      again("scaleWebhook: 2", "renewWebhookCertificate: {}", "setFailurePolicy: Fail")})
}

// sameComputerName tells why two pods have the same name on their secure channels.
func (c *Cluster) sameComputerName(f *diag.Finding, p *pod) *diag.Finding {
	own := channelName(p)
	var others []string
	for _, o := range c.pods {
		if o != p && strings.EqualFold(channelName(o), own) {
			others = append(others, o.spec.Name)
		}
	}
	if others == nil {
		return nil
	}
	facts := []diag.Fact{{Name: "pod", Value: p.spec.Name}, {Name: "same name", Value: strings.Join(others, ", ")}}
	random := diag.Help{Text: "let the webhook give each pod a host name of its own", Command: "helm upgrade gmsa windows-gmsa/gmsa --set randomHostname=true; " + p.replaceCommand(),
		Do: []string{"setRandomHostname: true", p.again()}}
	if p.manifest.Hostname == "" {
		return f.About("k8s-pod-hostname-truncation", "the host name of a pod is its name, of which a secure channel takes the first 15 characters, and the pods of a deployment begin alike", facts, random)
	}
	random.Text = "take the host name out of the template, and " + random.Text
	random.Do = append([]string{"setRandomHostname: true"}, p.changed(true, func(m *Pod) { m.Hostname = "" })...)
	return f.About("k8s-webhook-hostname-untouched", "the template fixes the host name, so all its pods have it; the webhook leaves a host name alone that is there", facts, random)
}

// channelName is the computer name of a pod's secure channel.
func channelName(p *pod) string {
	name := p.spec.Hostname
	if name == "" {
		name = p.spec.Name
	}
	return windows.ChannelName(windows.Channel{Hostname: name}, windows.Concurrency2025)
}

// tenant is about a credential spec of a tenant of Entra ID; nil when it is of another domain.
func (c *Cluster) tenant(f *diag.Finding, p *pod, s *started) *diag.Finding {
	named := s.domain()
	if !strings.HasSuffix(strings.ToLower(named), ".onmicrosoft.com") {
		return nil
	}
	g := f.About("aks-entra-only", "a tenant of Entra ID has no domain controllers, no Kerberos of its own and no gMSAs; AD DS has them, in a network that the nodes reach",
		[]diag.Fact{{Name: "domain of the credential spec", Value: named}})
	options, _, _ := p.spec.settings()
	help := diag.Help{Text: "take a gMSA of an AD DS domain", Command: "New-CredentialSpec -AccountName <account>; kubectl apply -f " + options.GMSACredentialSpecName + ".yaml; " + p.replaceCommand()}
	if a := c.accountFor(options.GMSACredentialSpecName); a != "" {
		help.Do = []string{simulator.FlowStep("applyCredentialSpec", "name", options.GMSACredentialSpecName, "account", a), p.again()}
		help.Command = strings.Replace(help.Command, "<account>", a, 1)
	}
	g.Help = []diag.Help{help}
	return g
}

// tooEarly is about a service that did not wait for Netlogon.
func (c *Cluster) tooEarly(f *diag.Finding, p *pod, s *started) *diag.Finding {
	lines := []string{"nltest /sc_reset:" + s.domain(), "Start-Service App"}
	return f.About("k8s-netlogon-race", "the kubelet starts the container's process at once, and Netlogon sets up its channel at the same time; who is first differs from start to start",
		[]diag.Fact{{Name: "pod", Value: p.spec.Name}, {Name: "postStart", Value: strings.Join(s.PostStart, "; ")}},
		diag.Help{Text: "set the channel up anew after the start, before the service is needed: " + strings.Join(lines, "; ") + " in lifecycle.postStart", Command: p.changeCommand(),
			Do: p.changed(true, func(m *Pod) {
				if len(m.Containers) == 0 {
					m.Containers = []Container{s.Container}
				}
				for i := range m.Containers {
					if m.Containers[i].Name == s.Name {
						m.Containers[i].PostStart = lines
					}
				}
			})})
}

// podDNS tells why a pod's DNS server does not find the domain.
func (c *Cluster) podDNS(f *diag.Finding, p *pod, s *started) *diag.Finding {
	domain := c.d.DNSName()
	if g := c.tenant(f, p, s); g != nil {
		return g
	}
	facts := []diag.Fact{{Name: "pod's DNS server", Value: dnsAddress}, {Name: "stub domains", Value: strings.Join(c.dns.StubDomains, ", ")}, {Name: "upstream", Value: strings.Join(c.dns.Upstream, ", ")}}
	dns := c.dns
	set := func(dns DNS) []string { return []string{manifestStep("setClusterDNS", dns)} }
	switch {
	case len(p.spec.Nameservers) > 0:
		return f.About("k8s-sc-verify-missing-dns", "the pod brings its own DNS servers along, and these do not know the domain", facts,
			diag.Help{Text: "let the pod ask the cluster's DNS server, with dnsPolicy: ClusterFirst", Command: p.changeCommand(), Do: p.changed(true, func(m *Pod) { m.Nameservers = nil })})
	case c.truncated():
		dns.TCPBlocked = false
		facts = append(facts, diag.Fact{Name: "answer", Value: fmt.Sprintf("%d bytes, of which a datagram takes %d", c.answerSize(), maxUDP)})
		g := f.About("aks-dns-tcp53-blocked", "the list of domain controllers does not fit a datagram, so the resolver asks again over TCP, and that is blocked", facts,
			diag.Help{Text: "open TCP 53 to the domain's DNS servers", Command: "az network nsg rule create --resource-group <resource group> --nsg-name <network security group> --name dns-tcp --priority 200 --direction Outbound --access Allow --protocol Tcp --destination-port-ranges 53", Do: set(dns)})
		// guess: the line is how CoreDNS writes an error of its forward plug-in; the address is the upstream's
		g.SeenAs = append(slices.Clone(g.SeenAs), fmt.Sprintf("CoreDNS: [ERROR] plugin/errors: 2 _ldap._tcp.dc._msdcs.%s. SRV: dial tcp …:53: i/o timeout", domain))
		return g
	case !c.stub() && len(c.dns.Upstream) > 0:
		dns.StubDomains = append(slices.Clone(dns.StubDomains), domain)
		return f.About("k8s-sc-verify-missing-dns", "pods ask the cluster's DNS server, and that sends the domain's names to servers that do not know them", facts,
			diag.Help{Text: "forward the domain's zone to its own DNS servers", Command: "kubectl -n kube-system edit configmap coredns", Do: set(dns)})
	}
	return nil
}

func (s *started) domain() string {
	if s.run == nil {
		return ""
	}
	return s.run.Domain()
}

// wrongNode tells that another node may read the password that this one may not.
func (c *Cluster) wrongNode(f *diag.Finding, p *pod, s *started) *diag.Finding {
	if s.run == nil || s.run.Account() == "" {
		return nil
	}
	var able []string
	for _, n := range c.nodes {
		if n != p.node && n.host != nil && !n.Unschedulable && n.fits(p.spec.NodeSelector) && n.host.MayRead(s.run.Account()) {
			able = append(able, n.Name)
		}
	}
	if able == nil {
		return nil
	}
	const label = "gmsa" // guess: any label does; nobody prescribes one
	var do []string
	for _, n := range able {
		do = append(do, fmt.Sprintf("labelNode: {node: %q, labels: {%s: %q}}", n, label, "yes"))
	}
	do = append(do, p.changed(true, func(m *Pod) {
		selector := map[string]string{label: "yes"}
		for k, v := range m.NodeSelector {
			selector[k] = v
		}
		m.NodeSelector = selector
	})...)
	return f.About("k8s-node-unauthorised-starts", "the scheduler knows nothing of the list of principals, and a container whose node may not read the password starts all the same",
		[]diag.Fact{{Name: "node", Value: p.node.Name}, {Name: "nodes that may", Value: strings.Join(able, ", ")}},
		diag.Help{Text: "keep the pod on nodes that may read the password, with nodeSelector: {gmsa: \"yes\"}", Command: "kubectl label node " + strings.Join(able, " ") + " gmsa=yes; " + p.changeCommand(), Do: do})
}

// explainStart looks for the cause of a container that the engine does not start.
func (c *Cluster) explainStart(err error, p *pod, s *started) error {
	f, ok := diag.Of(err)
	if !ok {
		return err
	}
	options := s.SecurityContext.WindowsOptions.over(p.spec.SecurityContext.WindowsOptions)
	facts := []diag.Fact{{Name: "pod", Value: p.spec.Namespace + "/" + p.spec.Name}, {Name: "node", Value: p.node.Name}}
	var g *diag.Finding
	switch {
	case f.Code == diag.GMSAIsolation:
		help := diag.Help{Text: "update the node, and keep pods with a gMSA off it until then", Command: "kubectl drain " + strings.ToLower(p.node.Name)}
		if slices.ContainsFunc(c.nodes, func(n *node) bool {
			return n != p.node && n.host != nil && !n.Unschedulable && n.fits(p.spec.NodeSelector)
		}) {
			help.Do = []string{simulator.FlowStep("cordonNode", "", p.node.Name), p.again()}
		}
		const updated = "Windows Server 2019 (10.0.17763.1817)"
		// guess: the package's file has the name that the catalogue gives it for x64
		update := diag.Help{Text: "or install KB5000822 on the node", Command: "wusa windows10.0-kb5000822-x64.msu", Do: []string{simulator.FlowStep("upgradeHost", "host", p.node.Name, "os", updated)}}
		g = f.About("k8s-containerd-kb", f.Because, facts, help, update)
	case strings.HasPrefix(string(f.Code), "GMSA4") && options.GMSACredentialSpec != "":
		help := diag.Help{Text: "put right the object, from which pods take a copy when they are made, and make the pod anew",
			Command: "kubectl apply -f " + options.GMSACredentialSpecName + ".yaml; " + p.replaceCommand()}
		if a := c.accountFor(options.GMSACredentialSpecName); a != "" {
			help.Do = []string{simulator.FlowStep("applyCredentialSpec", "name", options.GMSACredentialSpecName, "account", a), p.again()}
		}
		g = f.About("k8s-invalid-credspec-crashloop", "neither the API server nor the webhook reads the contents; the node is the first to do so, when it makes the container",
			append(facts, diag.Fact{Name: "object", Value: options.GMSACredentialSpecName}), help)
		c.sayDropped(g, options.GMSACredentialSpecName)
	default:
		return err
	}
	return g
}
