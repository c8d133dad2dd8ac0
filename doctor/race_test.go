//go:build race

package doctor

func init() { underRace = true }
