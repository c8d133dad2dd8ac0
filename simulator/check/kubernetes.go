package check

var kubernetesRules = []*Rule{}
