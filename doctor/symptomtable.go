package doctor

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// symptoms.jsonl is what the catalogue shows of each cause, a cause a line. A test writes it, and fails while it is not what the
// catalogue shows: go test ./doctor -run TestSymptomTable -update.
//
//go:embed symptoms.jsonl
var symptomsTable []byte

// KnownSymptom is [Symptom] for the catalogue that the program brings along. What its cases show was written down beforehand, so that
// none of them has to run.
func KnownSymptom(text string) (*Differential, error) {
	all, err := knownSightings()
	if err != nil {
		return nil, err
	}
	copies := make([]*sighting, len(all)) // an answer leaves its marks on what it chooses
	for i, s := range all {
		c := *s
		copies[i] = &c
	}
	d, found := differential(copies, text)
	d.Tests = compare(found)
	return d, nil
}

// knownSightings reads the table once; nobody changes what it gives.
var knownSightings = sync.OnceValues(func() ([]*sighting, error) { return readSightings(bytes.NewReader(symptomsTable)) })

// writtenSighting is a sighting in the table.
type writtenSighting struct {
	Fitting
	Fit   *struct{} `json:"fit,omitempty"`  // of an answer
	Seen  *struct{} `json:"seen,omitempty"` // of an answer
	Lines []string  `json:"lines"`
	// Shows are what observers show in each case that complains of the cause, without those to whom all works; "" stands for one that cannot be
	// carried out, and null for a case without an account or a host, in which none can.
	Shows []map[string]string `json:"shows,omitempty"`
}

// works is what an observer shows when there is nothing to see.
const works = "works"

func writeSightings(list []*sighting) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, s := range list {
		w := writtenSighting{Fitting: s.Fitting, Lines: s.lines}
		for _, seen := range s.seen {
			var shows map[string]string
			if len(seen) > 0 {
				shows = map[string]string{}
				for _, o := range observers {
					if seen[o.command] != works {
						shows[o.command] = seen[o.command]
					}
				}
			}
			w.Shows = append(w.Shows, shows)
		}
		if err := enc.Encode(w); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func readSightings(r io.Reader) ([]*sighting, error) {
	var list []*sighting
	for dec := json.NewDecoder(r); ; {
		var w writtenSighting
		err := dec.Decode(&w)
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("table of symptoms: %w", err)
		}
		s := &sighting{Fitting: w.Fitting, lines: w.Lines}
		for _, shows := range w.Shows {
			var seen map[string]string
			if shows != nil {
				seen = map[string]string{}
				for _, o := range observers {
					if shown, differs := shows[o.command]; !differs {
						seen[o.command] = works
					} else if shown != "" {
						seen[o.command] = shown
					}
				}
			}
			s.seen = append(s.seen, seen)
		}
		list = append(list, s)
	}
}
