package check

var directoryRules = []*Rule{}

// directoryChecks are what rules ask a directory, by their id: of those in directoryRules, which need one, and of others, which then know more.
var directoryChecks = map[string]func(*run, Directory){}
