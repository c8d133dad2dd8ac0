package check

var bytesRules = []*Rule{}
