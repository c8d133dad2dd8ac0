package scenarios

import "github.com/gmsasim/gmsasim/simulator"

// A Source is a file that has been read into a Go value, with the place of every value in it.
type Source struct{ root *node }

// Decode reads a YAML file strictly into a struct, under the names of its yaml tags: a key without a field is refused, and so is a
// field without a key that lacks the option omitempty. A field of type [simulator.Config] is checked as the domain of a scenario is. The error
// joins one [*SourceError] for each fault.
func Decode(file string, data []byte, into any) (*Source, error) {
	n, err := parseYAML(file, 1, data)
	if err != nil {
		return nil, err
	}
	d := &decoder{}
	d.decode(n, into)
	return &Source{n}, d.err()
}

// Fault is a fault at a path such as containers[1].host, or at what would hold it. Among known is the nearest valid name.
func (s *Source) Fault(path, name string, known []string, format string, args ...any) *SourceError {
	return s.root.follow(path).errorNear(name, known, format, args...)
}

// NewCase makes a case of a domain and of steps, each as YAML. id and title name it.
func NewCase(id, title string, cfg simulator.Config, steps []string) (*Case, error) {
	b := &Bundle{File: id, ID: id, Title: title}
	c := &Case{bundle: b, plan: plan{config: cfg}}
	b.Cases = []*Case{c}
	d := &decoder{}
	s := newScope(d, cfg)
	s.live = true // a name that leads nowhere may be what is wrong
	for i, text := range steps {
		n, err := parseYAML(id, i+1, []byte(text))
		if err != nil {
			return nil, err
		}
		if step := s.step(n); step != nil {
			c.plan.steps = append(c.plan.steps, step)
		}
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}
