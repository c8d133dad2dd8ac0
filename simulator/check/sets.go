package check

var setRules = []*Rule{}
