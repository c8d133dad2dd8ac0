//go:build race

package check

func init() { underRace = true }
