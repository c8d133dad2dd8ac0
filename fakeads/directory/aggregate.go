package directory

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// aggregate are the values of the subschema entry ([MS-ADTS] 3.1.1.3.1.1.1), in the forms of RFC 4512 4.1 as Active Directory
// writes them.
func (s *schema) aggregate(a attrID) [][]byte {
	var list [][]byte
	switch a {
	case aAttributeTypes, aExtendedAttributeInfo:
		for i := range s.attrs {
			d := &s.attrs[i]
			if a == aAttributeTypes {
				list = append(list, d.description())
			} else {
				list = append(list, d.extendedInfo())
			}
		}
	case aObjectClasses:
		for _, c := range s.classes {
			list = append(list, c.description(s))
		}
	case aDITContentRules:
		for _, c := range s.classes {
			if c.category == 1 {
				list = append(list, c.contentRule(s))
			}
		}
	case aExtendedClassInfo:
		for _, c := range s.classes {
			list = append(list, fmt.Appendf(nil, "( %s NAME '%s' CLASS-GUID '%s' )", c.oid, c.name, upperGUID(c.guid)))
		}
	}
	return list
}

func upperGUID(g security.GUID) string { return strings.ToUpper(fmt.Sprintf("%x", g[:])) }

// ldapSyntaxes are the LDAP syntax OIDs of [MS-ADTS] 3.1.1.2.2.2.
var ldapSyntaxes = map[string]string{
	"2.5.5.1": "1.3.6.1.4.1.1466.115.121.1.12", "2.5.5.2": "1.3.6.1.4.1.1466.115.121.1.38", "2.5.5.3": "1.2.840.113556.1.4.1362", "2.5.5.4": "1.2.840.113556.1.4.905",
	"2.5.5.5": "1.3.6.1.4.1.1466.115.121.1.26", "2.5.5.6": "1.3.6.1.4.1.1466.115.121.1.36", "2.5.5.7": "1.2.840.113556.1.4.903", "2.5.5.8": "1.3.6.1.4.1.1466.115.121.1.7",
	"2.5.5.9": "1.3.6.1.4.1.1466.115.121.1.27", "2.5.5.10": "1.3.6.1.4.1.1466.115.121.1.40", "2.5.5.11": "1.3.6.1.4.1.1466.115.121.1.24",
	"2.5.5.12": "1.3.6.1.4.1.1466.115.121.1.15", "2.5.5.13": "1.3.6.1.4.1.1466.115.121.1.43", "2.5.5.14": "1.2.840.113556.1.4.904", "2.5.5.15": "1.2.840.113556.1.4.907",
	"2.5.5.16": "1.2.840.113556.1.4.906", "2.5.5.17": "1.3.6.1.4.1.1466.115.121.1.40",
}

func (a *attrDef) description() []byte {
	b := fmt.Appendf(nil, "( %s NAME '%s' SYNTAX '%s' ", a.oid, a.name, ldapSyntaxes[a.syntaxOID])
	if a.single {
		b = append(b, "SINGLE-VALUE "...)
	}
	if a.systemOnly || a.constructed {
		b = append(b, "NO-USER-MODIFICATION "...)
	}
	return append(b, ')')
}

func (a *attrDef) extendedInfo() []byte {
	b := fmt.Appendf(nil, "( %s NAME '%s' ", a.oid, a.name)
	if a.hasLower {
		b = fmt.Appendf(b, "RANGE-LOWER '%d' ", a.rangeLower)
	}
	if a.hasUpper {
		b = fmt.Appendf(b, "RANGE-UPPER '%d' ", a.rangeUpper)
	}
	b = fmt.Appendf(b, "PROPERTY-GUID '%s' PROPERTY-SET-GUID '%s' ", upperGUID(a.guid), upperGUID(a.propertySet))
	if a.searchFlags&searchIndexed != 0 {
		b = append(b, "INDEXED "...)
	}
	if a.systemOnly {
		b = append(b, "SYSTEM-ONLY "...)
	}
	return append(b, ')')
}

func (s *schema) names(ids []attrID) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = s.def(id).name
	}
	return strings.Join(list, " $ ")
}

func (c *classDef) description(s *schema) []byte {
	b := fmt.Appendf(nil, "( %s NAME '%s' ", c.oid, c.name)
	if c.super != nil {
		b = fmt.Appendf(b, "SUP %s ", c.super.name)
	}
	b = append(b, [...]string{"", "STRUCTURAL ", "ABSTRACT ", "AUXILIARY "}[c.category]...)
	if len(c.ownMust) > 0 {
		b = fmt.Appendf(b, "MUST (%s ) ", s.names(c.ownMust))
	}
	if len(c.ownMay) > 0 {
		b = fmt.Appendf(b, "MAY (%s ) ", s.names(c.ownMay))
	}
	return append(b, ')')
}

func (c *classDef) contentRule(s *schema) []byte {
	b := fmt.Appendf(nil, "( %s NAME '%s' ", c.oid, c.name)
	var aux []string
	var must, may []attrID
	c.eachPart(func(k *classDef) {
		if k.category == 3 {
			aux = append(aux, k.name)
			must, may = append(must, k.ownMust...), append(may, k.ownMay...)
		}
	})
	if len(aux) > 0 {
		b = fmt.Appendf(b, "AUX ( %s ) ", strings.Join(aux, " $ "))
	}
	if len(must) > 0 {
		b = fmt.Appendf(b, "MUST (%s ) ", s.names(must))
	}
	if len(may) > 0 {
		b = fmt.Appendf(b, "MAY (%s ) ", s.names(may))
	}
	return append(b, ')')
}
