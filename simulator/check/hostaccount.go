package check

var hostAccountRules = []*Rule{}
