// Package kubernetes is a cluster whose Windows nodes are simulated hosts, as far as a gMSA meets it: the CRD and the objects of
// GMSACredentialSpec, RBAC's verb use, the windows-gmsa admission webhook, the scheduler, the kubelet and the cluster's DNS.
//
// A pod goes the way that it goes in a real cluster. The API server drops what its version does not know and checks names; the
// webhook, when it is installed and answers, puts the contents of the credential spec in place of its name and asks whether the service
// account may use it; the scheduler chooses a node; the kubelet gives each container to the engine of that node with a raw credential
// spec. What goes wrong on the way is an error with a [diag.Finding], in the words of kubectl, the webhook or the kubelet.
//
// Controllers never run by themselves: every call lets them catch up first, so the same calls give the same cluster.
//
// Sources of the rules: kubernetes-sigs/windows-gmsa admission-webhook (webhook.go, kube_client.go, deploy), KEP 689, and the page
// "Configure GMSA for Windows Pods and containers" of the Kubernetes documentation.
package kubernetes
