package scenarios

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/gmsasim/gmsasim/simulator/kubernetes"
	"github.com/gmsasim/gmsasim/simulator/servicefabric"
	"github.com/gmsasim/gmsasim/simulator/swarm"
)

// orchestrators are those of a session: one of each kind.
type orchestrators struct {
	kubernetes *kubernetes.Cluster
	swarm      *swarm.Swarm
	fabric     *servicefabric.Cluster
}

// orchestratorVerbs are what happens in Kubernetes, Swarm and Service Fabric.
var orchestratorVerbs = []verb{
	{"kubernetesCluster", false, "start a Kubernetes cluster on hosts of the domain", func() action { return &kubernetesCluster{} }},
	{"upgradeCluster", false, "change the cluster's version or feature gates", func() action { return &upgradeCluster{} }},
	{"installWebhook", false, "install the windows-gmsa webhook with its CRD", func() action { return &installWebhook{} }},
	{"scaleWebhook", false, "kubectl scale deployment gmsa-webhook", func() action { return &scaleWebhook{} }},
	{"renewWebhookCertificate", false, "give the webhook a new certificate under a new CA", func() action { return &renewWebhookCertificate{} }},
	{"setFailurePolicy", false, "set failurePolicy of the webhook configurations", func() action { return &setFailurePolicy{} }},
	{"setRandomHostname", false, "set RANDOM_HOSTNAME of the webhook", func() action { return &setRandomHostname{} }},
	{"disableWebhook", false, "kubectl label namespace … gmsa-webhook=disabled", func() action { return &disableWebhook{} }},
	{"enableWebhook", false, "kubectl label namespace … gmsa-webhook-", func() action { return &enableWebhook{} }},
	{"applyCredentialSpec", false, "kubectl apply of a GMSACredentialSpec", func() action { return &applyCredentialSpec{} }},
	{"deleteCredentialSpec", false, "kubectl delete gmsacredentialspec", func() action { return &deleteCredentialSpec{} }},
	{"getCredentialSpecs", false, "kubectl get gmsacredentialspecs", func() action { return &getCredentialSpecs{} }},
	{"applyRole", false, "kubectl apply of a ClusterRole, or of a Role with namespace", func() action { return &applyRole{} }},
	{"applyRoleBinding", false, "kubectl apply of a RoleBinding, or of a ClusterRoleBinding without namespace", func() action { return &applyRoleBinding{} }},
	{"applyPod", false, "kubectl apply of a pod", func() action { return &applyPod{} }},
	{"applyDeployment", false, "kubectl apply of a deployment", func() action { return &applyDeployment{} }},
	{"replacePod", false, "kubectl replace --force of a pod, kubectl rollout restart of deploy/NAME", func() action { return &replacePod{} }},
	{"deletePod", false, "kubectl delete pod", func() action { return &deletePod{} }},
	{"describePod", false, "kubectl describe of a pod, or of a pod of deploy/NAME", func() action { return &describePod{} }},
	{"kubectlExec", false, "kubectl exec: nltest, klist, whoami or dir in a pod", func() action { return &kubectlExec{} }},
	{"kubectlLogs", false, "kubectl logs of an init container", func() action { return &kubectlLogs{} }},
	{"podInboundNTLM", false, "sign in to a pod's service with NTLM", func() action { return &podInboundNTLM{} }},
	{"cordonNode", false, "kubectl cordon", func() action { return &cordonNode{} }},
	{"uncordonNode", false, "kubectl uncordon", func() action { return &uncordonNode{} }},
	{"labelNode", false, "kubectl label node", func() action { return &labelNode{} }},
	{"setClusterDNS", false, "change what the cluster's DNS server forwards where", func() action { return &setClusterDNS{} }},
	{"enableWindowsGMSA", false, "az aks update --enable-windows-gmsa", func() action { return &enableWindowsGMSA{} }},

	{"swarm", false, "docker swarm init, with nodes", func() action { return &startSwarm{} }},
	{"createConfig", false, "docker config create with a credential spec", func() action { return &createConfig{} }},
	{"createService", false, "docker service create", func() action { return &createService{} }},
	{"updateService", false, "docker service update, with options that change", func() action { return &updateService{} }},
	{"servicePs", false, "docker service ps", func() action { return &servicePs{} }},
	{"taskExec", false, "docker exec in a task of a service", func() action { return &taskExec{} }},

	{"serviceFabricCluster", false, "start a Service Fabric cluster on hosts of the domain", func() action { return &serviceFabricCluster{} }},
	{"deployApplication", false, "New-ServiceFabricApplication, or an upgrade of it", func() action { return &deployApplication{} }},
	{"applicationHealth", false, "Get-ServiceFabricApplicationHealth", func() action { return &applicationHealth{} }},
	{"instanceExec", false, "docker exec in an instance of an application", func() action { return &instanceExec{} }},
}

func (r *attempt) cluster() (*kubernetes.Cluster, error) {
	if r.s.orchestrators.kubernetes == nil {
		return nil, fmt.Errorf("there is no cluster; kubernetesCluster starts one")
	}
	return r.s.orchestrators.kubernetes, nil
}

// jsonTree is a value of any shape, kept as JSON. Unquoted numbers and words such as true keep their type, as YAML reads them.
type jsonTree json.RawMessage

func (t *jsonTree) decodeNode(d *decoder, n *node) {
	b, err := json.Marshal(treeOf(n))
	if err != nil {
		d.fail(n.errorAt("%v", err))
		return
	}
	*t = jsonTree(b)
}

func treeOf(n *node) any {
	switch n.kind {
	case mappingNode:
		m := map[string]any{}
		for _, f := range n.fields {
			m[f.key.text] = treeOf(f.value)
		}
		return m
	case sequenceNode:
		list := []any{}
		for _, i := range n.items {
			list = append(list, treeOf(i))
		}
		return list
	case nullNode:
		return nil
	}
	if !n.quoted {
		if b, err := strconv.ParseBool(n.text); err == nil && len(n.text) > 1 {
			return b
		}
		if f, err := strconv.ParseFloat(n.text, 64); err == nil {
			return f
		}
	}
	return n.text
}
