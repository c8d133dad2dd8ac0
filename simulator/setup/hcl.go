package setup

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/gmsasim/gmsasim/simulator/source"
)

// Limits of HCL. Its parser calls itself for every bracket, so that the depth is looked at before it sees the text.
const (
	maxHCLSize  = 1 << 20
	maxHCLDepth = 200
)

var (
	errHCLSize  = fmt.Errorf("the file is larger than %d bytes", maxHCLSize)
	errHCLDepth = fmt.Errorf("brackets, signs or conditions are nested deeper than %d", maxHCLDepth)
)

// parseHCL reads HCL as the tree that its JSON form has: a block is a member by its type, with an object for each label around its body, in which
// blocks of the same type meet.
// Expressions that are values are values, with the defaults of variables of the same file put in; any other is a string that is open. After
// a mistake the tree has what could be read.
func parseHCL(f *source.File) (*source.Node, error) {
	if problem := tooDeep(f.Data); problem != nil {
		return nil, &source.SyntaxError{File: f, Text: problem.Error(), Err: problem}
	}
	file, diagnostics := hclsyntax.ParseConfig(f.Data, f.Name, hcl.InitialPos)
	var err error
	for _, d := range diagnostics {
		if d.Severity == hcl.DiagError {
			e := &source.SyntaxError{File: f, Text: strings.TrimSuffix(d.Summary, ".") + ": " + d.Detail, Err: diagnostics}
			if d.Subject != nil {
				e.Start, e.End = min(d.Subject.Start.Byte, len(f.Data)), min(d.Subject.End.Byte, len(f.Data))
			}
			err = e
			break
		}
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if file == nil || !ok {
		return nil, errors.Join(err)
	}
	r := &hclReader{f: f, broken: err != nil, defaults: map[string]hclsyntax.Expression{}}
	r.variables(body)
	return r.body(body, 0, len(f.Data)), err
}

// tooDeep tells whether the parser would call itself too often: for brackets, signs and conditions. What stands in strings and comments counts
// too; no job comes near.
func tooDeep(b []byte) error {
	if len(b) > maxHCLSize {
		return errHCLSize
	}
	depth, signs, conditions := 0, 0, 0
	for _, c := range b {
		switch c {
		case '{', '[', '(':
			depth++
		case '}', ']', ')':
			depth = max(depth-1, 0)
		case '?':
			conditions++
		}
		switch c {
		case '!', '-':
			signs++
		case ' ', '\t':
		default:
			signs = 0
		}
		if depth > maxHCLDepth || signs > 5*maxHCLDepth || conditions > 10*maxHCLDepth {
			return errHCLDepth
		}
	}
	return nil
}

type hclReader struct {
	f        *source.File
	broken   bool                            // places are what the parser made of a mistake
	defaults map[string]hclsyntax.Expression // of variables and locals, "var.x", "local.x"
}

// variables notes the defaults of a file's variables and its locals.
func (r *hclReader) variables(body *hclsyntax.Body) {
	for _, b := range body.Blocks {
		switch {
		case b.Type == "variable" && len(b.Labels) == 1:
			if d := b.Body.Attributes["default"]; d != nil {
				r.defaults["var."+b.Labels[0]] = d.Expr
			}
		case b.Type == "locals":
			for name, a := range b.Body.Attributes {
				r.defaults["local."+name] = a.Expr
			}
		}
	}
}

func (r *hclReader) body(body *hclsyntax.Body, start, end int) *source.Node {
	n := &source.Node{File: r.f, Kind: source.Object, Start: start, End: max(start, end)} // a block without end has none
	for _, a := range body.Attributes {
		n.Members = append(n.Members, source.Member{Key: r.text(a.Name, a.NameRange), Value: r.expression(a.Expr, 0)})
	}
	levels := map[*source.Node]bool{} // the objects of types and labels, in which blocks of the same ones meet
	for _, b := range body.Blocks {
		in, key := n, r.text(b.Type, b.TypeRange)
		for i, label := range b.Labels {
			level := in.Get(key.Text)
			if !levels[level] {
				level = &source.Node{File: r.f, Kind: source.Object, Start: key.Start}
				levels[level] = true
				in.Members = append(in.Members, source.Member{Key: key, Value: level})
			}
			level.End = max(level.Start, b.CloseBraceRange.End.Byte)
			in, key = level, r.text(label, b.LabelRanges[i])
		}
		in.Members = append(in.Members, source.Member{Key: key, Value: r.body(b.Body, b.OpenBraceRange.Start.Byte, b.CloseBraceRange.End.Byte)})
	}
	sortMembers(n)
	return n
}

// sortMembers puts members into the order of the file.
func sortMembers(n *source.Node) {
	for i := 1; i < len(n.Members); i++ {
		for k := i; k > 0 && n.Members[k].Key.Start < n.Members[k-1].Key.Start; k-- {
			n.Members[k], n.Members[k-1] = n.Members[k-1], n.Members[k]
		}
	}
}

// text is a name in a range.
func (r *hclReader) text(text string, at hcl.Range) *source.Node {
	start, end := r.within(at)
	return source.NewForeign(r.f, start, end, text, nil, nil)
}

// within is a range inside the file; after a mistake the parser makes some up.
func (r *hclReader) within(at hcl.Range) (start, end int) {
	start = max(0, min(at.Start.Byte, len(r.f.Data)))
	return start, max(start, min(at.End.Byte, len(r.f.Data)))
}

// expression is the value of an expression.
func (r *hclReader) expression(e hclsyntax.Expression, depth int) *source.Node {
	at := e.Range()
	n := &source.Node{File: r.f, Style: source.Plain}
	n.Start, n.End = r.within(at)
	if depth > maxHCLDepth {
		return r.open(at)
	}
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		return r.literal(e, n)
	case *hclsyntax.TemplateExpr:
		return r.template(e, depth)
	case *hclsyntax.TemplateWrapExpr: // "${x}"
		if n := r.expression(e.Wrapped, depth+1); !n.Open {
			return r.moved(n, at)
		}
		at.Start.Byte, at.End.Byte = at.Start.Byte+1, at.End.Byte-1
	case *hclsyntax.ParenthesesExpr:
		return r.expression(e.Expression, depth+1)
	case *hclsyntax.TupleConsExpr:
		n.Kind = source.Array
		for _, item := range e.Exprs {
			n.Items = append(n.Items, r.expression(item, depth+1))
		}
		return n
	case *hclsyntax.ObjectConsExpr:
		n.Kind = source.Object
		for _, item := range e.Items {
			key := r.expression(item.KeyExpr, depth+1)
			if word := hcl.ExprAsKeyword(item.KeyExpr); word != "" {
				key = r.text(word, item.KeyExpr.Range())
			}
			n.Members = append(n.Members, source.Member{Key: key, Value: r.expression(item.ValueExpr, depth+1)})
		}
		return n
	case *hclsyntax.FunctionCallExpr:
		if e.Name == "jsonencode" && len(e.Args) == 1 {
			return r.expression(e.Args[0], depth+1)
		}
	case *hclsyntax.ScopeTraversalExpr:
		if d := r.defaults[traversal(e.Traversal)]; d != nil {
			return r.moved(r.expression(d, depth+8), at)
		}
	}
	return r.open(at)
}

// moved is the value of something else at the place where it is used: it can be read there and not replaced.
func (r *hclReader) moved(n *source.Node, at hcl.Range) *source.Node {
	switch {
	case n.Open:
		return r.open(at)
	case n.Kind == source.String:
		return r.text(n.Text, at)
	}
	return n
}

// open is an expression whose value only who runs the job knows, as it is written.
func (r *hclReader) open(at hcl.Range) *source.Node {
	n := r.text(string(at.SliceBytes(r.f.Data)), at)
	n.Open = true
	return n
}

// traversal is a reference as it is written, var.x.
func traversal(t hcl.Traversal) string {
	if len(t) != 2 {
		return ""
	}
	attr, ok := t[1].(hcl.TraverseAttr)
	if !ok {
		return ""
	}
	return t.RootName() + "." + attr.Name
}

func (r *hclReader) literal(e *hclsyntax.LiteralValueExpr, n *source.Node) *source.Node {
	raw := string(e.SrcRange.SliceBytes(r.f.Data))
	switch {
	case e.Val.IsNull():
		n.Kind, n.Text = source.Null, raw
	case e.Val.Type() == cty.String:
		return r.text(e.Val.AsString(), e.SrcRange)
	case e.Val.Type() == cty.Bool:
		n.Kind, n.Text = source.Bool, raw
	case e.Val.Type() == cty.Number:
		n.Kind, n.Text = source.Number, e.Val.AsBigFloat().Text('f', -1)
	default:
		return r.open(e.SrcRange)
	}
	return n
}

// template is a string: its literal parts, and values where they are known.
func (r *hclReader) template(e *hclsyntax.TemplateExpr, depth int) *source.Node {
	var b strings.Builder
	var places []int
	exact := true
	open := false
	from, _ := r.within(e.SrcRange)
	if from < len(r.f.Data) && r.f.Data[from] == '"' {
		from++
	}
	for i, part := range e.Parts {
		_, partEnd := r.within(part.Range())
		if l, ok := part.(*hclsyntax.LiteralValueExpr); ok && l.Val.Type() == cty.String && !l.Val.IsNull() {
			text := l.Val.AsString()
			b.WriteString(text)
			of := hclPlaces(l.SrcRange.SliceBytes(r.f.Data), l.SrcRange.Start.Byte, text)
			exact = exact && (of != nil || text == "")
			places = append(places, of...)
			from = partEnd
			continue
		}
		n := r.expression(part, depth+1)
		if !n.Open && n.Kind != source.Array && n.Kind != source.Object {
			b.WriteString(n.Text)
			exact, from = false, partEnd
			continue
		}
		// As it is written, from the end of the part before to the beginning of the next.
		open = true
		_, end := r.within(e.SrcRange)
		if i+1 < len(e.Parts) {
			end, _ = r.within(e.Parts[i+1].Range())
		} else if end > from && r.f.Data[end-1] == '"' {
			end--
		}
		from, end = min(from, end), max(from, end)
		b.Write(r.f.Data[from:end])
		places = append(places, counting(from, end-from)[:end-from]...)
		from = partEnd
	}
	end, quoting := e.SrcRange.End.Byte, hclQuoting
	if raw := e.SrcRange.SliceBytes(r.f.Data); len(raw) >= 2 && raw[0] == '"' {
		end--
	} else { // a here-document, whose lines and delimiter another text would have to respect
		quoting = nil
		if len(e.Parts) > 0 {
			end = e.Parts[len(e.Parts)-1].Range().End.Byte
		}
	}
	if places = append(places, end); !exact || r.broken {
		places = nil
	}
	start, stop := r.within(e.SrcRange)
	n := source.NewForeign(r.f, start, stop, b.String(), places, quoting)
	n.Open = open
	return n
}

// hclPlaces has the place of each byte of a literal part; nil when they cannot be told apart. The part's bytes are those of a quoted template or
// of a line of a here-document.
func hclPlaces(raw []byte, from int, text string) []int {
	if string(raw) == text {
		return counting(from, len(text))[:len(text)]
	}
	var places []int
	var b strings.Builder
	put := func(s string, at int) {
		b.WriteString(s)
		for range len(s) {
			places = append(places, from+at)
		}
	}
	for i := 0; i < len(raw); {
		switch {
		case raw[i] == '\\' && i+1 < len(raw):
			plain, ok := map[byte]string{'n': "\n", 'r': "\r", 't': "\t", '"': `"`, '\\': `\`}[raw[i+1]]
			if !ok {
				return nil
			}
			put(plain, i)
			i += 2
		case (raw[i] == '$' || raw[i] == '%') && i+2 < len(raw) && raw[i+1] == raw[i] && raw[i+2] == '{':
			put(string(raw[i:i+1]), i)
			put("{", i+2)
			i += 3
		default:
			_, n := utf8.DecodeRune(raw[i:])
			for k := range n {
				put(string(raw[i+k:i+k+1]), i+k)
			}
			i += n
		}
	}
	if b.String() != text {
		return nil
	}
	return places
}

// hclQuoting writes a text into a quoted template.
func hclQuoting(text string) (string, bool) {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", "$${", "%{", "%%{").Replace(text), !strings.ContainsAny(text, "\r\n\t")
}
