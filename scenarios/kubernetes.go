package scenarios

import (
	"encoding/json"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/kubernetes"
)

type kubernetesCluster kubernetes.Config

func (a *kubernetesCluster) check(s *scope, n *node) {
	if a.Webhook != nil {
		if err := a.Webhook.Validate(); err != nil {
			s.d.fail(argument(n, "webhook").errorAt("%v", err))
		}
	}
}

func (a *kubernetesCluster) do(r *attempt) error {
	c, err := kubernetes.New(r.d, kubernetes.Config(*a))
	if err == nil {
		r.s.orchestrators.kubernetes = c
	}
	return err
}

type upgradeCluster struct {
	Version      string   `yaml:"version,omitempty"`
	FeatureGates []string `yaml:"featureGates,omitempty"`
}

func (*upgradeCluster) check(*scope, *node) {}

func (a *upgradeCluster) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.Upgrade(a.Version, a.FeatureGates)
}

type installWebhook kubernetes.Webhook

func (a *installWebhook) check(s *scope, n *node) {
	if err := (*kubernetes.Webhook)(a).Validate(); err != nil {
		s.d.fail(n.errorAt("%v", err))
	}
}

func (a *installWebhook) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.InstallWebhook(kubernetes.Webhook(*a))
}

type scaleWebhook struct {
	Replicas int `yaml:"replicas,scalar"`
}

func (a *scaleWebhook) check(s *scope, n *node) {
	if a.Replicas < 0 {
		s.d.fail(n.errorAt("replicas are not negative"))
	}
}

func (a *scaleWebhook) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.ScaleWebhook(a.Replicas)
}

type renewWebhookCertificate struct {
	// KeepCABundle leaves the old CA in the webhook configurations.
	KeepCABundle bool `yaml:"keepCABundle,omitempty"`
}

func (*renewWebhookCertificate) check(*scope, *node) {}

func (a *renewWebhookCertificate) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.RenewWebhookCertificate(a.KeepCABundle)
}

type setFailurePolicy struct {
	Policy string `yaml:"policy,scalar"`
}

func (a *setFailurePolicy) check(s *scope, n *node) {
	if err := (&kubernetes.Webhook{FailurePolicy: a.Policy}).Validate(); err != nil {
		s.d.fail(n.errorAt("%v", err))
	}
}

func (a *setFailurePolicy) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.SetFailurePolicy(a.Policy)
}

type setRandomHostname struct {
	On bool `yaml:"on,scalar"`
}

func (*setRandomHostname) check(*scope, *node) {}

func (a *setRandomHostname) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.SetRandomHostname(a.On)
}

type disableWebhook struct {
	Namespace string `yaml:"namespace,scalar"`
}

func (*disableWebhook) check(*scope, *node) {}

func (a *disableWebhook) do(r *attempt) error {
	c, err := r.cluster()
	if err == nil {
		c.DisableWebhook(a.Namespace, true)
	}
	return err
}

type enableWebhook struct {
	Namespace string `yaml:"namespace,scalar"`
}

func (*enableWebhook) check(*scope, *node) {}

func (a *enableWebhook) do(r *attempt) error {
	c, err := r.cluster()
	if err == nil {
		c.DisableWebhook(a.Namespace, false)
	}
	return err
}

type applyCredentialSpec struct {
	Name string `yaml:"name"`
	// Account lets a node make the contents; Credspec are the contents; without both the object has none.
	Account           string                        `yaml:"account,omitempty"`
	HostAccountConfig *kubernetes.HostAccountConfig `yaml:"hostAccountConfig,omitempty"`
	Credspec          jsonTree                      `yaml:"credspec,omitempty"`
}

func (a *applyCredentialSpec) check(s *scope, n *node) {
	if a.Account != "" && a.Credspec != nil {
		s.d.fail(n.errorAt("either account or credspec"))
	}
	if a.Account != "" {
		s.account(argument(n, "account"), a.Account, true)
	}
}

func (a *applyCredentialSpec) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.ApplyCredentialSpec(kubernetes.CredentialSpec{Name: a.Name, Account: a.Account, HostAccountConfig: a.HostAccountConfig, Credspec: json.RawMessage(a.Credspec)})
}

type deleteCredentialSpec struct {
	Name string `yaml:"name,scalar"`
}

func (*deleteCredentialSpec) check(*scope, *node) {}

func (a *deleteCredentialSpec) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.DeleteCredentialSpec(a.Name)
}

type getCredentialSpecs struct{}

func (*getCredentialSpecs) check(*scope, *node) {}

func (*getCredentialSpecs) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	names, err := c.CredentialSpecs()
	if err == nil {
		r.fact("names", list(names))
	}
	return err
}

type applyRole kubernetes.ClusterRole

func (*applyRole) check(*scope, *node) {}

func (a *applyRole) do(r *attempt) error {
	c, err := r.cluster()
	if err == nil {
		c.ApplyRole(kubernetes.ClusterRole(*a))
	}
	return err
}

type applyRoleBinding kubernetes.RoleBinding

func (*applyRoleBinding) check(*scope, *node) {}

func (a *applyRoleBinding) do(r *attempt) error {
	c, err := r.cluster()
	if err == nil {
		c.ApplyRoleBinding(kubernetes.RoleBinding(*a))
	}
	return err
}

type applyPod kubernetes.Pod

func (a *applyPod) check(s *scope, n *node) {
	if a.Name == "" {
		s.d.fail(n.errorAt("the pod has no name"))
	}
}

func (a *applyPod) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.ApplyPod(kubernetes.Pod(*a))
}

type applyDeployment kubernetes.Deployment

func (a *applyDeployment) check(s *scope, n *node) {
	if a.Replicas < 0 || a.Replicas > 100 {
		s.d.fail(argument(n, "replicas").errorAt("0 to 100 replicas"))
	}
}

func (a *applyDeployment) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.ApplyDeployment(kubernetes.Deployment(*a))
}

// podName is a pod, or the nth of deploy/NAME.
type podName struct {
	Pod       string `yaml:"pod,scalar"`
	Namespace string `yaml:"namespace,omitempty"`
	Nth       int    `yaml:"nth,omitempty"`
}

type replacePod podName

func (*replacePod) check(*scope, *node) {}

func (a *replacePod) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.Replace(a.Namespace, a.Pod)
}

type deletePod podName

func (*deletePod) check(*scope, *node) {}

func (a *deletePod) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.DeletePod(a.Namespace, a.Pod)
}

type describePod podName

func (*describePod) check(*scope, *node) {}

func (a *describePod) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	st, err := c.Describe(a.Namespace, a.Pod, a.Nth)
	r.fact("pod", st.Name)
	r.fact("node", strings.ToLower(st.Node))
	r.fact("ready", st.Ready)
	r.fact("status", st.Status)
	r.output(st.Text)
	return err
}

type kubectlExec struct {
	Pod       string `yaml:"pod"`
	Namespace string `yaml:"namespace,omitempty"`
	Nth       int    `yaml:"nth,omitempty"`
	Container string `yaml:"container,omitempty"`
	Command   string `yaml:"command"`
}

func (*kubectlExec) check(*scope, *node) {}

func (a *kubectlExec) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	text, err := c.Exec(a.Namespace, a.Pod, a.Nth, a.Container, a.Command)
	r.output(text)
	return err
}

type kubectlLogs struct {
	Pod       string `yaml:"pod"`
	Namespace string `yaml:"namespace,omitempty"`
	Nth       int    `yaml:"nth,omitempty"`
	Container string `yaml:"container"`
}

func (*kubectlLogs) check(*scope, *node) {}

func (a *kubectlLogs) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	text, err := c.Logs(a.Namespace, a.Pod, a.Nth, a.Container)
	r.output(text)
	return err
}

type podInboundNTLM struct {
	Pod       string `yaml:"pod"`
	Namespace string `yaml:"namespace,omitempty"`
	Nth       int    `yaml:"nth,omitempty"`
	Container string `yaml:"container,omitempty"`
	From      string `yaml:"from"`
}

func (a *podInboundNTLM) check(s *scope, n *node) { s.account(argument(n, "from"), a.From, true) }

func (a *podInboundNTLM) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.InboundNTLM(a.Namespace, a.Pod, a.Nth, a.Container, a.From)
}

type cordonNode struct {
	Node string `yaml:"node,scalar"`
}

func (*cordonNode) check(*scope, *node) {}

func (a *cordonNode) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.Cordon(a.Node, true)
}

type uncordonNode cordonNode

func (*uncordonNode) check(*scope, *node) {}

func (a *uncordonNode) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.Cordon(a.Node, false)
}

type labelNode struct {
	Node   string            `yaml:"node"`
	Labels map[string]string `yaml:"labels"`
}

func (*labelNode) check(*scope, *node) {}

func (a *labelNode) do(r *attempt) error {
	c, err := r.cluster()
	if err != nil {
		return err
	}
	return c.LabelNode(a.Node, a.Labels)
}

type enableWindowsGMSA struct{}

func (*enableWindowsGMSA) check(*scope, *node) {}

func (*enableWindowsGMSA) do(r *attempt) error {
	c, err := r.cluster()
	if err == nil {
		c.EnableWindowsGMSA()
	}
	return err
}

type setClusterDNS kubernetes.DNS

func (*setClusterDNS) check(*scope, *node) {}

func (a *setClusterDNS) do(r *attempt) error {
	c, err := r.cluster()
	if err == nil {
		c.SetDNS(kubernetes.DNS(*a))
	}
	return err
}
