package directory

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

//go:embed schema_data.txt
var schemaData string

// Bits of searchFlags ([MS-ADTS] 2.2.10) and systemFlags (2.2.11).
const (
	searchIndexed      = 0x1
	searchANR          = 0x4
	searchPreserve     = 0x8
	searchConfidential = 0x80

	systemNotReplicated  = 0x1
	systemConstructed    = 0x4
	systemOperational    = 0x8
	systemDisallowDelete = 0x80000000
)

// attrDef is an attribute of the schema.
type attrDef struct {
	id                     attrID
	name, folded, oid, cn  string // folded: name in lower case
	nameBytes              []byte
	syntax                 syntax
	syntaxOID              string
	omSyntax               int
	single, systemOnly, gc bool
	indexed                bool // equality is answered from the index
	confidential           bool
	constructed            bool
	notReplicated          bool
	secret                 bool // never readable, [MS-ADTS] 3.1.1.4.4
	rdnAlias               bool // its value can be the object's RDN: cn, ou, dc and so on
	searchFlags            uint32
	systemFlags            uint32
	guid, propertySet      security.GUID
	hasLower, hasUpper     bool
	rangeLower, rangeUpper int64
	linkID                 int // 0: no link
	partner                attrID
	forwardLink, backLink  bool
}

// classDef is a class of the schema.
type classDef struct {
	name, folded, oid, cn string
	nameBytes             []byte
	category              int // 0 88-class, 1 structural, 2 abstract, 3 auxiliary
	guid                  security.GUID
	super                 *classDef
	aux                   []*classDef // statically linked auxiliary classes, direct ones
	chain                 []*classDef // from top to the class itself
	chainValues           [][]byte    // objectClass of an instance
	defaultCategory       *classDef
	rdn                   attrID
	ownMust, ownMay       []attrID
	must                  []attrID            // all of chain and auxiliary classes, sorted
	allowed               map[attrID]struct{} // must and may of all of them
	ownSuperiors          []string
	superiors             map[string]struct{} // folded names of classes an instance may be under
	sddl                  string              // own defaultSecurityDescriptor; empty: none
	defaultSD             func() *security.Descriptor
	index                 int
	parts                 map[*classDef]bool // the class, its superclasses and the auxiliary classes of all of them
	structurals           []*classDef        // structural classes whose chain or auxiliaries hold this one, itself included
}

// schema is everything in schema_data.txt. It does not change.
type schema struct {
	attrs      [numAttributes]attrDef
	byName     map[string]*attrDef // name as it is or folded, or OID
	classes    []*classDef
	classNamed map[string]*classDef // folded name, OID or cn
	anr        []*attrDef
}

// theSchema is read once for the process; it is never written.
var theSchema = sync.OnceValue(readSchema)

func readSchema() *schema {
	s := &schema{byName: make(map[string]*attrDef, 2*int(numAttributes)), classNamed: map[string]*classDef{}}
	n := 0
	links := map[int]attrID{}
	var class *classDef
	type pending struct{ super, category string }
	waiting := map[*classDef]pending{}
	ids := func(names string) []attrID {
		var list []attrID
		for f := range strings.FieldsSeq(names) {
			list = append(list, s.byName[strings.ToLower(f)].id)
		}
		return list
	}
	for line := range strings.Lines(schemaData) {
		line = strings.TrimSuffix(line, "\n")
		kind, rest, _ := strings.Cut(line, "\t")
		switch kind {
		case "a":
			f := strings.Split(rest, "\t")
			a := &s.attrs[n]
			a.read(attrID(n), f)
			n++
			s.byName[a.folded], s.byName[a.oid], s.byName[a.name] = a, a, a
			if a.linkID != 0 {
				links[a.linkID] = a.id
			}
			if a.searchFlags&searchANR != 0 {
				s.anr = append(s.anr, a)
			}
		case "c":
			f := strings.Split(rest, "\t")
			class = &classDef{name: f[0], folded: strings.ToLower(f[0]), nameBytes: []byte(f[0]), oid: f[1], category: number(f[3]), guid: security.MustGUID(f[4]), cn: f[5], index: len(s.classes)}
			waiting[class] = pending{f[2], f[6]}
			class.rdn = aCn
			if f[7] != "-" {
				class.rdn = s.byName[strings.ToLower(f[7])].id
			}
			s.classes = append(s.classes, class)
			for _, name := range []string{class.name, class.folded, class.oid, strings.ToLower(class.cn)} {
				s.classNamed[name] = class
			}
		case "x":
			for f := range strings.FieldsSeq(rest) {
				class.aux = append(class.aux, s.classNamed[strings.ToLower(f)])
			}
		case "m":
			class.ownMust = ids(rest)
		case "y":
			class.ownMay = ids(rest)
		case "p":
			class.ownSuperiors = strings.Fields(strings.ToLower(rest))
		case "d":
			class.sddl = rest
		}
	}
	if n != int(numAttributes) {
		panic(fmt.Sprintf("directory: %d attributes in the schema, %d have names", n, numAttributes))
	}
	for i := range s.attrs {
		a := &s.attrs[i]
		if a.linkID != 0 {
			a.forwardLink, a.backLink = a.linkID%2 == 0, a.linkID%2 == 1
			if p, ok := links[a.linkID^1]; ok {
				a.partner = p
			}
		}
	}
	for _, c := range s.classes {
		if p := waiting[c]; p.super != c.name {
			c.super = s.classNamed[strings.ToLower(p.super)]
		}
		c.defaultCategory = s.classNamed[strings.ToLower(waiting[c].category)]
	}
	for _, c := range s.classes {
		c.finish(s)
	}
	return s
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(fmt.Sprintf("directory: %q in the schema is no number", s))
	}
	return n
}

func (a *attrDef) read(id attrID, f []string) {
	a.id, a.name, a.oid, a.cn = id, f[0], f[1], f[12]
	a.folded, a.nameBytes = strings.ToLower(a.name), []byte(a.name)
	a.syntaxOID, a.omSyntax = f[2], number(f[3])
	a.syntax = syntaxOf(a.syntaxOID, a.omSyntax)
	a.single, a.systemOnly, a.gc = strings.Contains(f[4], "S"), strings.Contains(f[4], "O"), strings.Contains(f[4], "G")
	a.searchFlags, a.systemFlags = uint32(number(f[5])), uint32(int32(number(f[6])))
	a.guid = security.MustGUID(f[7])
	if f[8] != "-" {
		a.propertySet = security.MustGUID(f[8])
	}
	if f[9] != "-" {
		a.hasLower, a.rangeLower = true, int64(number(f[9]))
	}
	if f[10] != "-" {
		a.hasUpper, a.rangeUpper = true, int64(number(f[10]))
	}
	if f[11] != "-" {
		a.linkID = number(f[11])
	}
	a.confidential = a.searchFlags&searchConfidential != 0
	a.constructed = a.systemFlags&systemConstructed != 0
	a.notReplicated = a.systemFlags&systemNotReplicated != 0
	switch id {
	case aUnicodePwd, aDBCSPwd, aNtPwdHistory, aLmPwdHistory, aSupplementalCredentials,
		aTrustAuthIncoming, aTrustAuthOutgoing, aInitialAuthIncoming, aInitialAuthOutgoing, aCurrentValue, aPriorValue, aPekList:
		a.secret = true // [MS-ADTS] 3.1.1.4.4
	case aCn, aOu, aDc:
		a.rdnAlias = true
	}
	a.indexed = a.searchFlags&searchIndexed != 0 && !a.constructed
	switch id {
	case aName, aObjectClass, aObjectGUID, aUSNChanged, aUSNCreated, aShowInAdvancedViewOnly, aUserAccountControl, aPrimaryGroupID, aLastLogonTimestamp, aGroupType:
		a.indexed = false // found in another way, or too common to be worth a posting each
	}
}

// finish computes what follows from the class's superiors; those come before it in the file.
func (c *classDef) finish(s *schema) {
	if c.super != nil {
		c.chain = append(slices.Clone(c.super.chain), c)
	} else {
		c.chain = []*classDef{c}
	}
	for _, k := range c.chain {
		c.chainValues = append(c.chainValues, k.nameBytes)
	}
	c.defaultSD = sync.OnceValue(func() *security.Descriptor {
		sd, err := security.ParseSDDL(c.sddl, placeholderDomain, placeholderRoot)
		if err != nil {
			panic(fmt.Sprintf("directory: defaultSecurityDescriptor of %s: %v", c.name, err))
		}
		return sd
	})
	c.allowed = map[attrID]struct{}{}
	c.superiors = map[string]struct{}{}
	c.parts = map[*classDef]bool{}
	c.eachPart(func(k *classDef) {
		c.parts[k] = true
		for _, a := range k.ownMust {
			if !slices.Contains(c.must, a) {
				c.must = append(c.must, a)
			}
			c.allowed[a] = struct{}{}
		}
		for _, a := range k.ownMay {
			c.allowed[a] = struct{}{}
		}
		for _, p := range k.ownSuperiors {
			c.superiors[p] = struct{}{}
		}
		if c.category <= 1 && !slices.Contains(k.structurals, c) {
			k.structurals = append(k.structurals, c)
		}
	})
	slices.Sort(c.must)
}

// eachPart visits the class, its superclasses and the auxiliary classes of all of them.
func (c *classDef) eachPart(visit func(*classDef)) {
	for _, k := range c.chain {
		visit(k)
		for _, a := range k.aux {
			a.visitChain(visit)
		}
	}
}

func (c *classDef) visitChain(visit func(*classDef)) {
	for k := c; k != nil; k = k.super {
		visit(k)
		for _, a := range k.aux {
			a.visitChain(visit)
		}
	}
}

// is tells whether an instance of c has the class named in its objectClass chain.
func (c *classDef) is(k *classDef) bool { return slices.Contains(c.chain, k) }

// isNamed is is by lDAPDisplayName in lower case.
func (c *classDef) isNamed(folded string) bool {
	for i := len(c.chain) - 1; i >= 0; i-- {
		if c.chain[i].folded == folded {
			return true
		}
	}
	return false
}

// attr finds an attribute by name in any case or by OID, nil: unknown.
func (s *schema) attr(name string) *attrDef {
	if a := s.byName[name]; a != nil {
		return a
	}
	var buf [64]byte
	if len(name) > len(buf) {
		return nil
	}
	folded := buf[:len(name)]
	for i := range len(name) {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		folded[i] = c
	}
	if a := s.byName[string(folded)]; a != nil {
		return a
	}
	if len(folded) > 4 && string(folded[:4]) == "oid." { // RFC 2252 spelling that clients still send
		return s.byName[string(folded[4:])]
	}
	return nil
}

// class finds a class by name, cn (any case) or OID, nil: unknown.
func (s *schema) class(name string) *classDef {
	if c := s.classNamed[name]; c != nil {
		return c
	}
	return s.classNamed[strings.ToLower(name)]
}

func (s *schema) def(a attrID) *attrDef { return &s.attrs[a] }
