package diag

import (
	"errors"
	"slices"
	"strings"
)

// With gives the finding the title of its code and the answer that it rests on.
func (f Finding) With(cause error) *Finding {
	if e, ok := Lookup(f.Code); ok {
		f.Title = e.Title
	}
	f.Cause = cause
	return &f
}

// Apart is the finding with what its cause says instead of the cause itself, which knows the connection and the domain that it comes from: who
// keeps the finding does not keep those.
func (f *Finding) Apart() *Finding {
	g := *f
	if f.Cause != nil {
		g.Cause = errors.New(f.Cause.Error())
	}
	return &g
}

// About is the finding as somebody sees it who knows how the state came about, such as the orchestrator that placed a container: with another
// failure mode and mechanism, more facts, and its own help before the help that there was. Help that runs the container anew by hand is left out:
// that is the orchestrator's business.
func (f *Finding) About(mode, because string, facts []Fact, help ...Help) *Finding {
	g := *f
	g.Mode, g.Because = mode, because
	g.Facts = append(slices.Clone(f.Facts), facts...)
	g.Help = slices.Clone(help)
	for _, h := range f.Help {
		if !slices.ContainsFunc(h.Do, byHand) {
			g.Help = append(g.Help, h)
		}
	}
	return &g
}

// byHand tells that a step is about one container of an engine, or about the arguments of docker run.
func byHand(step string) bool {
	verb, _, _ := strings.Cut(step, ":")
	return slices.Contains([]string{"rerunContainer", "restartContainer", "startService", "with"}, verb)
}
