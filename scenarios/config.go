package scenarios

import (
	"errors"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
)

// Configuration is a domain read from a file, with what a [simulator.Config] cannot tell: which keys were there.
type Configuration struct {
	simulator.Config
	keys []string
}

// Says tells whether the file has a key at its top level, for instance start.
func (c *Configuration) Says(key string) bool {
	for _, k := range c.keys {
		if k == key {
			return true
		}
	}
	return false
}

// LoadConfig reads a domain from a file, see [ParseConfig].
func LoadConfig(file string) (*Configuration, error) {
	data, err := readSource(file)
	if err != nil {
		return nil, err
	}
	return ParseConfig(file, data)
}

// ParseConfig reads a domain from YAML, or from JSON when the file's name ends in .json. The keys are those of the domain part of a
// scenario. The error joins one [*SourceError] for each fault.
func ParseConfig(file string, data []byte) (*Configuration, error) {
	var n *node
	var err error
	if strings.HasSuffix(strings.ToLower(file), ".json") {
		n, err = parseJSON(file, data)
	} else {
		n, err = parseYAML(file, 1, data)
	}
	if err != nil {
		return nil, err
	}
	d := &decoder{}
	c := &Configuration{Config: readDomain(d, n)}
	if err := d.err(); err != nil {
		return nil, err
	}
	for _, f := range n.fields {
		c.keys = append(c.keys, f.key.text)
	}
	return c, nil
}

// ParseFault reads a fault for a running domain, as the step inject has it.
func ParseFault(file string, data []byte, dom *simulator.Domain) (simulator.Fault, error) {
	n, err := parseYAML(file, 1, data)
	if err != nil {
		return simulator.Fault{}, err
	}
	d := &decoder{}
	var f inject
	d.decode(n, &f)
	if len(d.faults) == 0 {
		f.check(liveScope(d, dom), n)
	}
	return simulator.Fault(f), d.err()
}

// SourceErrors are the faults that an error of this package joins.
func SourceErrors(err error) []*SourceError {
	var list []*SourceError
	for _, e := range flatten(err) {
		if s, ok := errors.AsType[*SourceError](e); ok {
			list = append(list, s)
		}
	}
	return list
}
