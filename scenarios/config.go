package scenarios

import (
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
