package intake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/gmsasim/gmsasim/doctor"
)

// YAML writes a world in block style, as [doctor.ParseWorld] reads it.
func YAML(w *doctor.World) ([]byte, error) {
	text, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("write a world: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var b bytes.Buffer
	if err := writeValue(&b, d, 0, false); err != nil && err != io.EOF {
		return nil, fmt.Errorf("write a world: %w", err)
	}
	return bytes.TrimPrefix(b.Bytes(), []byte("\n")), nil
}

// plain are texts that need no quotes in YAML and that nothing takes for another type.
var plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*$`)

// writeValue writes the next value of a JSON text after a key or, in a list, after a dash.
func writeValue(b *bytes.Buffer, d *json.Decoder, depth int, item bool) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	indent := strings.Repeat("  ", depth)
	switch t := t.(type) {
	case json.Delim:
		if !d.More() {
			fmt.Fprintf(b, " %s\n", map[json.Delim]string{'{': "{}", '[': "[]"}[t])
			_, err := d.Token()
			return err
		}
		first := item
		if !item {
			b.WriteByte('\n')
		}
		for d.More() {
			switch {
			case first: // the first key stands behind the dash
				b.WriteByte(' ')
				first = false
			default:
				b.WriteString(indent)
			}
			if t == '[' {
				b.WriteByte('-')
			} else {
				key, err := d.Token()
				if err != nil {
					return err
				}
				fmt.Fprintf(b, "%s:", key)
			}
			if err := writeValue(b, d, depth+1, t == '['); err != nil {
				return err
			}
		}
		_, err := d.Token()
		return err
	case string:
		switch strings.ToLower(t) {
		case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
			fmt.Fprintf(b, " %q\n", t)
			return nil
		}
		if plain.MatchString(t) {
			fmt.Fprintf(b, " %s\n", t)
			return nil
		}
		quoted, err := json.Marshal(t)
		fmt.Fprintf(b, " %s\n", quoted)
		return err
	default:
		fmt.Fprintf(b, " %v\n", t)
	}
	return nil
}
