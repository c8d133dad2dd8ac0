package check

var domainRules = []*Rule{}
