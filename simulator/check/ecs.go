package check

var ecsRules = []*Rule{}
