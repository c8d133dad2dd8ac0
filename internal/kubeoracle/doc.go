// Package kubeoracle lets Kubernetes' own code judge what gmsasim check says of manifests: the structural schema, pruning and validation of the
// API server for GMSACredentialSpecs, the validation of pods and bindings, the RBAC authorizer, and the YAML reader of kubectl. What they
// refuse, a rule has to report, with their words; what they take, no rule of the kind may.
//
// It is a module of its own because k8s.io/kubernetes and what it needs have 240 MB, which nobody who uses the simulator shall download.
package kubeoracle
