package scenarios

import (
	"slices"
	"strings"
)

// caseColumn may name the case; without it, the name is made of all columns.
const caseColumn = "case"

// modeColumn may say which failure mode a case is an instance of, where it is another than its bundle's: a look-alike, or none.
const (
	modeColumn = "mode"
	noMode     = "none"
)

// row is one case as it stands in the file.
type row struct {
	name    string
	values  []Value
	columns []field
}

// readCases reads the table. Without one there is a single case without a name.
func (b *Bundle) readCases(d *decoder, n *node) []row {
	if n == nil {
		return []row{{}}
	}
	if n.kind != sequenceNode {
		d.fail(n.errorAt("want a list of cases, got %s", n.kind))
		return nil
	}
	if len(n.items) == 0 || len(n.items) > maxCases {
		d.fail(n.errorAt("%d cases; a table has 1 to %d", len(n.items), maxCases))
		return nil
	}
	var rows []row
	for i, item := range n.items {
		if item.kind != mappingNode {
			d.fail(item.errorAt("want a mapping of columns, got %s", item.kind))
			return nil
		}
		r := row{columns: item.fields}
		var label []string
		for _, f := range item.fields {
			if !columnName(f.key.text) {
				d.fail(f.key.errorAt("%q is not the name of a column: letters and digits", f.key.text))
				return nil
			}
			text := flow(f.value)
			r.values = append(r.values, Value{f.key.text, text})
			if f.key.text == caseColumn {
				r.name = text
			}
			label = append(label, f.key.text+"="+text)
		}
		if r.name == "" {
			r.name = strings.Join(label, ", ")
		}
		if i > 0 {
			if want, got := columnNames(n.items[0]), columnNames(item); !slices.Equal(want, got) {
				d.fail(item.errorAt("the columns are %s, those of the first case are %s", strings.Join(got, ", "), strings.Join(want, ", ")))
				return nil
			}
		}
		if slices.ContainsFunc(rows, func(o row) bool { return o.name == r.name }) {
			d.fail(item.errorAt("there is a case %q already", r.name))
			return nil
		}
		rows = append(rows, r)
	}
	return rows
}

func columnName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

func columnNames(n *node) []string {
	var names []string
	for _, f := range n.fields {
		names = append(names, f.key.text)
	}
	slices.Sort(names)
	return names
}

// substitution puts the values of a case in place of $column.
type substitution struct {
	d    *decoder
	row  row
	used map[string]bool
}

// apply copies a tree. A scalar that is $column as a whole becomes the column's value, with the place of that value; nothing else is
// replaced.
func (s substitution) apply(n *node) *node {
	if n == nil {
		return nil
	}
	if name, ok := strings.CutPrefix(n.text, "$"); ok && n.kind == scalarNode && columnName(name) {
		var names []string
		for _, c := range s.row.columns {
			if c.key.text == name {
				s.used[name] = true
				return c.value
			}
			names = append(names, c.key.text)
		}
		e := n.errorNear(name, names, "no column %s in cases", name)
		s.d.merge(&decoder{faults: []error{e}})
		return n
	}
	c := *n
	c.fields, c.items = nil, nil
	for _, f := range n.fields {
		c.fields = append(c.fields, field{f.key, s.apply(f.value)})
	}
	for _, i := range n.items {
		c.items = append(c.items, s.apply(i))
	}
	return &c
}

// flow writes a tree on one line.
func flow(n *node) string {
	if n == nil {
		return ""
	}
	switch n.kind {
	case nullNode:
		return ""
	case mappingNode:
		var list []string
		for _, f := range n.fields {
			list = append(list, f.key.text+": "+flow(f.value))
		}
		return "{" + strings.Join(list, ", ") + "}"
	case sequenceNode:
		var list []string
		for _, i := range n.items {
			list = append(list, flow(i))
		}
		return "[" + strings.Join(list, ", ") + "]"
	default:
		return n.text
	}
}
