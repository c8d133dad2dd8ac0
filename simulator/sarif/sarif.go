// Package sarif has the parts of the Static Analysis Results Interchange Format, version 2.1.0 (OASIS), that gmsasim writes, by their names in
// its section 3.
package sarif

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Log is a document with one run.
type Log struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []Run  `json:"runs"`
}

// Run is what the tool did once.
type Run struct {
	Tool struct {
		Driver Driver `json:"driver"`
	} `json:"tool"`
	Invocations []Invocation `json:"invocations,omitempty"`
	Columns     string       `json:"columnKind"`
	Results     []Result     `json:"results"`
	Properties  any          `json:"properties,omitempty"`
}

// Driver is the tool.
type Driver struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	URI     string `json:"informationUri,omitempty"`
	Rules   []Rule `json:"rules"`
}

// Rule is a reportingDescriptor.
type Rule struct {
	ID      string   `json:"id"`
	Short   Message  `json:"shortDescription"`
	Full    *Message `json:"fullDescription,omitempty"`
	Help    Message  `json:"help"`
	HelpURI string   `json:"helpUri,omitempty"`
	Default struct {
		Level string `json:"level"`
	} `json:"defaultConfiguration"`
	Properties any `json:"properties,omitempty"`
}

// Message is a message or a multiformatMessageString.
type Message struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

// Result is one thing that is wrong.
type Result struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      Message           `json:"message"`
	Locations    []Location        `json:"locations,omitempty"`
	Related      []Location        `json:"relatedLocations,omitempty"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Fixes        []Fix             `json:"fixes,omitempty"`
	Suppressions []Suppression     `json:"suppressions,omitempty"`
	Properties   map[string]any    `json:"properties,omitempty"`
}

// Location is a place with what it has to do with the result.
type Location struct {
	ID       *int      `json:"id,omitempty"`
	Physical *Physical `json:"physicalLocation,omitempty"`
	Message  *Message  `json:"message,omitempty"`
}

// Physical is a place in a file.
type Physical struct {
	Artifact Artifact `json:"artifactLocation"`
	Region   *Region  `json:"region,omitempty"`
}

// Artifact is a file.
type Artifact struct {
	URI string `json:"uri"`
}

// Region is a range of lines and columns, from 1; the end column is the one behind the range.
type Region struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
	EndLine     int `json:"endLine,omitempty"`
	EndColumn   int `json:"endColumn,omitempty"`
}

// Fix repairs a result.
type Fix struct {
	Description Message  `json:"description"`
	Changes     []Change `json:"artifactChanges"`
}

// Change is what a fix does to one file.
type Change struct {
	Artifact     Artifact      `json:"artifactLocation"`
	Replacements []Replacement `json:"replacements"`
}

// Replacement puts a text in the place of a region.
type Replacement struct {
	Deleted  Region   `json:"deletedRegion"`
	Inserted *Message `json:"insertedContent,omitempty"`
}

// Suppression is a request not to show a result: inSource or external.
type Suppression struct {
	Kind          string    `json:"kind"`
	Justification string    `json:"justification,omitempty"`
	Location      *Location `json:"location,omitempty"`
}

// Invocation tells whether the run could do what it was asked.
type Invocation struct {
	Successful    bool           `json:"executionSuccessful"`
	Notifications []Notification `json:"toolExecutionNotifications,omitempty"`
}

// Notification is something about the run itself.
type Notification struct {
	Level      string     `json:"level"`
	Message    Message    `json:"message"`
	Locations  []Location `json:"locations,omitempty"`
	Descriptor *struct {
		ID string `json:"id"`
	} `json:"associatedRule,omitempty"`
}

// Encode writes a run of gmsasim as a document.
func Encode(run Run) ([]byte, error) {
	run.Columns = "unicodeCodePoints"
	run.Tool.Driver.Name = "gmsasim"
	if run.Results == nil {
		run.Results = []Result{}
	}
	if run.Tool.Driver.Rules == nil {
		run.Tool.Driver.Rules = []Rule{}
	}
	return json.MarshalIndent(Log{
		Version: "2.1.0", Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Runs: []Run{run},
	}, "", "  ")
}

// URI writes the path of a file as a relative reference (RFC 3986 4.2), or as a file URI (RFC 8089) when it begins at a root.
func URI(file string) string {
	file = strings.ReplaceAll(file, `\`, "/")
	prefix := ""
	switch {
	case strings.HasPrefix(file, "/"):
		prefix = "file://"
	case len(file) > 2 && file[1] == ':' && file[2] == '/':
		prefix = "file:///"
	}
	var b strings.Builder
	for _, c := range []byte(file) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~/!$&'()*+,;=@", c) >= 0, c == ':' && prefix != "":
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return prefix + b.String()
}
