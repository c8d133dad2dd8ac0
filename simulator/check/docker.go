package check

var dockerRules = []*Rule{}
