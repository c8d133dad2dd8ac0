package scenarios

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/ecs"
)

// decoder fills Go values from nodes under the names of their yaml tags and collects what is wrong on the way.
type decoder struct {
	faults []error
}

func (d *decoder) fail(e *SourceError) { d.faults = append(d.faults, e) }

func (d *decoder) err() error { return errors.Join(d.faults...) }

// words are the types that are one of a few words.
var words = map[reflect.Type][]string{
	reflect.TypeFor[simulator.GroupScope]():    {string(simulator.DomainLocal), string(simulator.Global), string(simulator.Universal)},
	reflect.TypeFor[simulator.RootKeyPolicy](): {string(simulator.StrictRootKey), string(simulator.IntervalRootKey), string(simulator.SambaRootKey)},
	reflect.TypeFor[simulator.PluginKind]():    {string(simulator.AzureKeyVault), string(simulator.AWSPlugin), string(simulator.RancherPlugin), string(simulator.SamplePlugin)},
	reflect.TypeFor[simulator.Handover]():      simulator.HandoverNames(),
	reflect.TypeFor[ecs.LaunchType]():          {string(ecs.EC2), string(ecs.Fargate)},
	reflect.TypeFor[simulator.Protection]():    {string(simulator.Sealed), string(simulator.Signed), string(simulator.Plain)},
	reflect.TypeFor[simulator.Op](): {string(simulator.DNSLookup), string(simulator.LDAPConnect), string(simulator.LDAPBind), string(simulator.LDAPSearch),
		string(simulator.LDAPWrite), string(simulator.LDAPOther), string(simulator.KDCAS), string(simulator.KDCTGS), string(simulator.Kpasswd), string(simulator.Netlogon)},
}

// decode fills into, a pointer.
func (d *decoder) decode(n *node, into any) { d.value(n, reflect.ValueOf(into).Elem()) }

// nodeDecoder is what types implement that have a form of their own.
type nodeDecoder interface {
	decodeNode(d *decoder, n *node)
}

func (d *decoder) value(n *node, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		if n.kind == nullNode {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem())
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *simulator.Config:
		*p = readDomain(d, n)
		return
	case nodeDecoder:
		p.decodeNode(d, n)
		return
	case *time.Time:
		if s, ok := d.scalar(n, "a time such as 2019-05-03T10:00:00Z"); ok {
			t, err := time.Parse(time.RFC3339, s)
			if err != nil || t.Location() != time.UTC {
				d.fail(n.errorAt("%q is not a time in UTC such as 2019-05-03T10:00:00Z", s))
				return
			}
			*p = t.UTC()
		}
		return
	case *time.Duration:
		if s, ok := d.scalar(n, "a duration such as 10h or 9h59m"); ok {
			t, err := time.ParseDuration(s)
			if err != nil {
				d.fail(n.errorAt("%q is not a duration such as 10h or 9h59m", s))
				return
			}
			*p = t
		}
		return
	case encoding.TextUnmarshaler:
		if s, ok := d.scalar(n, "a single value"); ok {
			if err := p.UnmarshalText([]byte(s)); err != nil {
				d.fail(n.errorAt("%v", err))
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v)
	case reflect.Slice:
		d.slice(n, v)
	case reflect.Map:
		d.mapping(n, v)
	case reflect.String:
		if s, ok := d.scalar(n, "a text"); ok {
			if list := words[v.Type()]; list != nil && !slices.Contains(list, s) {
				d.fail(n.errorNear(s, list, "%q is not one of %s", s, strings.Join(list, ", ")))
				return
			}
			v.SetString(s)
		}
	case reflect.Bool:
		if s, ok := d.scalar(n, "true or false"); ok {
			if n.quoted || s != "true" && s != "false" {
				d.fail(n.errorAt("%q is neither true nor false", s))
				return
			}
			v.SetBool(s == "true")
		}
	case reflect.Int:
		if s, ok := d.scalar(n, "a whole number"); ok {
			i, err := strconv.ParseInt(s, 10, 32)
			if err != nil || n.quoted {
				d.fail(n.errorAt("%q is not a whole number of at most 32 bits", s))
				return
			}
			v.SetInt(i)
		}
	case reflect.Uint64:
		if s, ok := d.scalar(n, "a whole number"); ok {
			i, err := strconv.ParseUint(s, 10, 64)
			if err != nil || n.quoted {
				d.fail(n.errorAt("%q is not a whole number from 0", s))
				return
			}
			v.SetUint(i)
		}
	default:
		panic(fmt.Sprintf("scenarios: no way to read a %s", v.Type()))
	}
}

func (d *decoder) scalar(n *node, want string) (string, bool) {
	if n.kind != scalarNode {
		d.fail(n.errorAt("want %s, got %s", want, n.kind))
		return "", false
	}
	return n.text, true
}

func (d *decoder) slice(n *node, v reflect.Value) {
	if n.kind != sequenceNode {
		d.fail(n.errorAt("want a list, got %s", n.kind))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		d.value(item, v.Index(i))
	}
}

// mapping fills a map of texts, such as the labels of an object.
func (d *decoder) mapping(n *node, v reflect.Value) {
	if n.kind != mappingNode {
		d.fail(n.errorAt("want a mapping, got %s", n.kind))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, f := range n.fields {
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(f.value, value)
		v.SetMapIndex(reflect.ValueOf(f.key.text).Convert(v.Type().Key()), value)
	}
}

// structure fills a struct. A field whose tag has the option scalar may stand alone in place of the mapping; a field without the
// option omitempty must be there.
func (d *decoder) structure(n *node, v reflect.Value) {
	form := formOf(v.Type())
	if n.kind == nullNode && len(form.required) == 0 {
		return
	}
	if n.kind == scalarNode {
		if i, ok := scalarField(v.Type()); ok {
			d.value(n, v.Field(i))
			return
		}
	}
	if n.kind != mappingNode {
		want := "a mapping with " + strings.Join(form.keys, ", ")
		if len(form.keys) == 0 {
			want = "no arguments"
		}
		d.fail(n.errorAt("want %s, got %s", want, n.kind))
		return
	}
	for _, f := range n.fields {
		i := slices.Index(form.keys, f.key.text)
		if i < 0 {
			d.fail(f.key.errorNear(f.key.text, form.keys, "no key %q here; known: %s", f.key.text, cmp.Or(strings.Join(form.keys, ", "), "none")))
			continue
		}
		d.value(f.value, v.FieldByIndex(form.fields[i]))
	}
	for _, k := range form.required {
		if n.get(k) == nil {
			d.fail(n.errorAt("the key %s is missing", k))
		}
	}
}

// keyOf is the name of a struct field in a file, "" for fields that a file cannot set.
func keyOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if name == "-" {
		return ""
	}
	return name
}

// option tells that the tag of a field has an option.
func option(f reflect.StructField, name string) bool {
	_, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return slices.Contains(strings.Split(options, ","), name)
}

// scalarField is the field that may stand for the whole.
func scalarField(t reflect.Type) (int, bool) {
	for i := range t.NumField() {
		if option(t.Field(i), "scalar") {
			return i, true
		}
	}
	return 0, false
}

// fieldsOf are the fields that have a key, those of an embedded struct with the option inline among them.
func fieldsOf(t reflect.Type) []reflect.StructField {
	var list []reflect.StructField
	for i := range t.NumField() {
		switch f := t.Field(i); {
		case f.Anonymous && option(f, "inline"):
			for _, inner := range fieldsOf(f.Type) {
				inner.Index = append([]int{i}, inner.Index...)
				list = append(list, inner)
			}
		case keyOf(f) != "":
			list = append(list, f)
		}
	}
	return list
}

// form is what a struct looks like in a file: its keys, for each the index of its field, and the keys that must be there.
type form struct {
	keys     []string
	fields   [][]int
	required []string
}

// formOf gives the form of a struct from those that are made once, and makes it for any other.
func formOf(t reflect.Type) *form {
	if f := forms()[t]; f != nil {
		return f
	}
	return newForm(t)
}

func keysOf(t reflect.Type) []string { return slices.Clip(formOf(t).keys) }

func newForm(t reflect.Type) *form {
	f := &form{}
	for _, field := range fieldsOf(t) {
		f.keys = append(f.keys, keyOf(field))
		f.fields = append(f.fields, field.Index)
		if !option(field, "omitempty") {
			f.required = append(f.required, keyOf(field))
		}
	}
	return f
}

// forms are those of the domain, of the header of a bundle and of the arguments of verbs, with all structs below them. Nobody changes them:
// every case of the catalogue is read with them, and looking at tags takes longer than all else that reading a step does.
var forms = sync.OnceValue(func() map[reflect.Type]*form {
	made := map[reflect.Type]*form{}
	var add func(reflect.Type)
	add = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			add(t.Elem())
		case reflect.Struct:
			if made[t] != nil {
				return
			}
			made[t] = newForm(t)
			for _, index := range made[t].fields {
				add(t.FieldByIndex(index).Type)
			}
		}
	}
	for _, t := range []reflect.Type{reflect.TypeFor[header](), reflect.TypeFor[simulator.Config](), reflect.TypeFor[expectForm]()} {
		add(t)
	}
	for _, v := range verbs {
		add(reflect.TypeOf(v.new()))
	}
	return made
})

// config decodes and checks a domain.
func (d *decoder) config(n *node) simulator.Config {
	var cfg simulator.Config
	before := len(d.faults)
	d.structure(n, reflect.ValueOf(&cfg).Elem())
	if len(d.faults) == before {
		d.validate(n, "", cfg)
	}
	return cfg
}

// validate checks cfg and gives each fault the position of its value below n. Only paths below prefix are reported.
func (d *decoder) validate(n *node, prefix string, cfg simulator.Config) {
	for _, err := range flatten(cfg.Validate()) {
		c, ok := errors.AsType[*simulator.ConfigError](err)
		if !ok {
			d.fail(n.errorAt("%v", err))
			continue
		}
		path, ok := strings.CutPrefix(c.Path, prefix)
		if !ok {
			continue
		}
		at := n.follow(strings.TrimPrefix(path, "."))
		e := at.errorAt("%s", c.Problem)
		e.Nearest, e.Code = c.Nearest, c.Code
		d.fail(e)
	}
}

// flatten gives the errors that were joined.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var list []error
		for _, e := range j.Unwrap() {
			list = append(list, flatten(e)...)
		}
		return list
	}
	return []error{err}
}

// takeKey reads a required text of a mapping and gives the mapping without it, for a verb whose other keys are those of a type of another package.
func (d *decoder) takeKey(n *node, key, what string, into *string) (rest *node) {
	rest = &node{place: n.place, kind: mappingNode}
	for _, f := range n.fields {
		if f.key.text == key {
			*into, _ = d.scalar(f.value, what)
		} else {
			rest.fields = append(rest.fields, f)
		}
	}
	if n.get(key) == nil {
		d.fail(n.errorAt("the key %s is missing", key))
	}
	return rest
}
