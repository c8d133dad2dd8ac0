package setup

import (
	"strings"

	"github.com/gmsasim/gmsasim/simulator/source"
)

// Text is a text that a template puts together of what it says itself and of what only the deployment knows.
type Text struct {
	// Node is the value that gives the text.
	Node *source.Node
	// Value is the text. What is not known stands in it as [Unknown], [Word] or [Region].
	Value string

	pieces []piece
	filled bool // the deployment fills in what is not known
}

// What a template does not know, as it stands in [Text.Value]. They are characters of Unicode's private area.
const (
	Unknown = "\uE000" // any text, an empty one too
	Word    = "\uE001" // a text that is not empty, without a colon or a slash: the name of a bucket, an account
	Region  = "\uE002" // the region of the stack
)

// piece is a part of a text that a string gives as it is written.
type piece struct {
	at, length int          // in Value
	node       *source.Node // the string
	from       int          // in its text
}

// Known tells whether all of the text is known.
func (t *Text) Known() bool { return t != nil && !strings.ContainsAny(t.Value, Unknown+Word+Region) }

// String is the text for people: what is not known is a *.
func (t *Text) String() string { return ShowText(t.Value) }

// Show is the text from an offset in Value, for people.
func (t *Text) Show(from int) string { return ShowText(t.Value[from:]) }

// ShowText is a part of [Text.Value] for people.
func ShowText(value string) string { return shown.Replace(value) }

var shown = strings.NewReplacer(Unknown, "*", Word, "*", Region, "*")

// Part is the string, or the part of one, that gives a range of the text; the whole value when no single one does.
func (t *Text) Part(start, end int) *source.Node {
	for _, p := range t.pieces {
		if start >= p.at && end <= p.at+p.length {
			if p.node.Kind != source.String || p.length == 0 {
				break
			}
			return part(p.node, p.from+start-p.at, p.from+end-p.at)
		}
	}
	return t.Node
}

// part is a range of a string's text as a string of its own.
func part(n *source.Node, start, end int) *source.Node {
	if start == 0 && end == len(n.Text) {
		return n
	}
	return n.Part(start, end)
}

// resolver puts texts together with the intrinsic functions of CloudFormation (AWS CloudFormation template reference, "Intrinsic functions").
type resolver struct {
	template *source.Node
	left     int  // pieces that may still be made; then everything is unknown
	fills    bool // ${…} in a string is an expression, as in Terraform
}

// maxPieces and maxText end templates whose substitutions multiply.
const (
	maxPieces = 20_000
	maxText   = 1 << 16
)

// intrinsic is the name of the function that a value is a call of, without Fn::, and its arguments.
func intrinsic(n *source.Node) (name string, args *source.Node) {
	if n == nil {
		return "", nil
	}
	if n.Tag != "" {
		bare := *n
		bare.Tag = ""
		return strings.TrimPrefix(n.Tag, "!"), &bare
	}
	if n.Kind == source.Object && len(n.Members) == 1 {
		key := n.Members[0].Key.Text
		if name, ok := strings.CutPrefix(key, "Fn::"); ok || key == "Ref" {
			return name, n.Members[0].Value
		}
	}
	return "", nil
}

// isNoValue tells whether a value is {"Ref": "AWS::NoValue"}: the member is not there.
func isNoValue(n *source.Node) bool {
	name, args := intrinsic(n)
	return name == "Ref" && args.String() == "AWS::NoValue"
}

// text is the text of a value.
func (r *resolver) text(n *source.Node) *Text {
	name, _ := intrinsic(n)
	t := &Text{Node: n, filled: r.fills || name != ""}
	r.add(t, n, nil)
	return t
}

func (r *resolver) add(t *Text, n *source.Node, variables *source.Node) {
	if r.left--; r.left < 0 || len(t.Value) > maxText || n == nil {
		t.Value += Unknown
		return
	}
	name, args := intrinsic(n)
	switch {
	case name == "" && n.Open && !strings.Contains(n.Text, "${"):
		t.Value += Unknown // an expression of HCL
	case name == "" && n.Kind == source.String:
		r.slots(t, n, func(string) { t.Value += Unknown })
	case name == "" && (n.Kind == source.Number || n.Kind == source.Bool):
		t.Value += n.Text
	case name == "Sub":
		pattern := args
		if len(args.List()) == 2 {
			pattern, variables = args.List()[0], args.List()[1]
		}
		if pattern.Kind != source.String {
			t.Value += Unknown
			return
		}
		r.slots(t, pattern, func(slot string) {
			resource, attribute, isAttribute := strings.Cut(slot, ".")
			switch {
			case strings.HasPrefix(slot, "!"):
				t.Value += "${" + slot[1:] + "}"
			case variables.Get(slot) != nil:
				r.add(t, variables.Get(slot), nil)
			case isAttribute:
				r.attribute(t, resource, attribute)
			default:
				r.ref(t, slot)
			}
		})
	case name == "Join" && len(args.List()) == 2 && args.List()[1].Kind == source.Array:
		separator := args.List()[0].String()
		for i, item := range args.List()[1].List() {
			if i > 0 {
				t.Value += separator
			}
			r.add(t, item, variables)
		}
	case name == "Ref":
		r.ref(t, args.String())
	case name == "GetAtt" && args.Kind == source.String:
		resource, attribute, _ := strings.Cut(args.Text, ".")
		r.attribute(t, resource, attribute)
	case name == "GetAtt" && len(args.List()) == 2:
		r.attribute(t, args.List()[0].String(), args.List()[1].String())
	default:
		t.Value += Unknown
	}
}

// slots adds a string as it is written, but for its ${…}, which fill adds.
func (r *resolver) slots(t *Text, n *source.Node, fill func(slot string)) {
	at := 0
	literal := func(end int) {
		if end > at {
			t.pieces = append(t.pieces, piece{len(t.Value), end - at, n, at})
			t.Value += n.Text[at:end]
		}
	}
	for {
		open := strings.Index(n.Text[at:], "${")
		if open < 0 {
			literal(len(n.Text))
			return
		}
		open += at
		end := strings.IndexByte(n.Text[open:], '}')
		if end < 0 || r.left < 0 || len(t.Value) > maxText {
			literal(len(n.Text))
			return
		}
		literal(open)
		r.left--
		fill(n.Text[open+2 : open+end])
		at = open + end + 1
	}
}

// ref adds what Ref gives: a pseudo parameter, the name of a resource; of a parameter only the deployment knows.
func (r *resolver) ref(t *Text, name string) {
	switch name {
	case "AWS::Partition", "AWS::AccountId", "AWS::StackName", "AWS::URLSuffix":
		t.Value += Word
		return
	case "AWS::Region":
		t.Value += Region
		return
	case "AWS::NoValue":
		return
	}
	resource := r.template.Get("Resources", name)
	switch resource.Get("Type").String() {
	case "AWS::S3::Bucket":
		r.named(t, resource.Get("Properties", "BucketName"))
	case "AWS::SSM::Parameter":
		r.named(t, resource.Get("Properties", "Name"))
	case "AWS::SecretsManager::Secret":
		t.Value += "arn:" + Word + ":secretsmanager:" + Region + ":" + Word + ":secret:" + Word
	default:
		t.Value += Unknown
	}
}

// named adds the name that a template gives a resource, or one that CloudFormation makes.
func (r *resolver) named(t *Text, name *source.Node) {
	if name == nil || isNoValue(name) {
		t.Value += Word
		return
	}
	r.add(t, name, nil)
}

func (r *resolver) attribute(t *Text, name, attribute string) {
	resource := r.template.Get("Resources", name)
	if resource.Get("Type").String() == "AWS::S3::Bucket" && attribute == "Arn" {
		t.Value += "arn:" + Word + ":s3:::"
		r.named(t, resource.Get("Properties", "BucketName"))
		return
	}
	t.Value += Unknown
}
