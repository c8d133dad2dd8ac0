package diag

import "slices"

// With gives the finding the title of its code and the answer that it rests on.
func (f Finding) With(cause error) *Finding {
	if e, ok := Lookup(f.Code); ok {
		f.Title = e.Title
	}
	f.Cause = cause
	return &f
}

// About is the finding as somebody sees it who knows how the state came about, such as the orchestrator that placed a container: with another
// failure mode and mechanism, more facts, and its own help before the help that there was.
func (f *Finding) About(mode, because string, facts []Fact, help ...Help) *Finding {
	g := *f
	g.Mode, g.Because = mode, because
	g.Facts = append(slices.Clone(f.Facts), facts...)
	g.Help = append(slices.Clone(help), f.Help...)
	return &g
}
