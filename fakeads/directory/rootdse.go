package directory

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// rootAttribute is one attribute of the root DSE; extra ones come only when they are asked for by name.
type rootAttribute struct {
	name   string
	extra  bool
	values func(v *view, c *Caller, wire time.Time) []string
}

// RootDSE is the entry with the empty name, [MS-ADTS] 3.1.1.3.2. wire is the time of the door the question came through, for
// currentTime. No attributes, or *, is everything but what comes only by name: supportedExtension, tokenGroups and the like. The
// attribute netlogon is the LDAP ping's and is not here.
func (r *Replica) RootDSE(c *Caller, attrs []string, wire time.Time) *Entry {
	v := r.view()
	all := len(attrs) == 0 || slices.Contains(attrs, "*")
	asked := func(name string) bool {
		return slices.ContainsFunc(attrs, func(a string) bool { return strings.EqualFold(a, name) })
	}
	e := &Entry{}
	for i := range rootAttributes {
		a := &rootAttributes[i]
		if !asked(a.name) && (!all || a.extra) {
			continue
		}
		if values := a.values(&v, c, wire); len(values) > 0 {
			e.Attributes = append(e.Attributes, Text(a.name, values...))
		}
	}
	if asked("tokenGroups") && c.Token != nil {
		a := Attribute{Name: "tokenGroups", Values: [][]byte{c.Token.User.Bytes()}}
		for _, g := range c.Token.Groups {
			a.Values = append(a.Values, g.Bytes())
		}
		e.Attributes = append(e.Attributes, a)
	}
	return e
}

// rootText is an attribute of the root DSE that depends on the replica alone.
func rootText(name string, f func(r *Replica) string) rootAttribute {
	return rootAttribute{name: name, values: func(v *view, _ *Caller, _ time.Time) []string { return []string{f(v.r)} }}
}

func rootList(name string, list []string) rootAttribute {
	return rootAttribute{name: name, values: func(*view, *Caller, time.Time) []string { return list }}
}

func (r *Replica) ntdsDN() string { return "CN=NTDS Settings," + r.serverDN() }

func (r *Replica) serverDN() string {
	return "CN=" + r.name + ",CN=Servers,CN=" + defaultSite + ",CN=Sites," + r.ncs[ncConfiguration].dn.String()
}

// rootAttributes in the order of a Server 2019 domain controller.
var rootAttributes = []rootAttribute{
	rootText("domainFunctionality", func(r *Replica) string { return strconv.Itoa(r.domain.Level) }),
	rootText("forestFunctionality", func(r *Replica) string { return strconv.Itoa(r.forest.domains[0].Level) }),
	rootText("domainControllerFunctionality", func(r *Replica) string { return strconv.Itoa(r.forest.controllerLevel()) }),
	rootText("rootDomainNamingContext", func(r *Replica) string { return r.forest.domains[0].DN }),
	rootText("ldapServiceName", func(r *Replica) string {
		return r.forest.domains[0].DNSName + ":" + strings.ToLower(r.name) + "$@" + r.domain.Realm
	}),
	rootText("isGlobalCatalogReady", func(*Replica) string { return "TRUE" }),
	rootList("supportedSASLMechanisms", []string{"GSSAPI", "GSS-SPNEGO", "EXTERNAL", "DIGEST-MD5"}),
	rootList("supportedLDAPVersion", []string{"3", "2"}),
	rootList("supportedLDAPPolicies", supportedPolicies),
	rootList("supportedControl", supportedControls),
	rootList("supportedCapabilities", []string{
		"1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670", "1.2.840.113556.1.4.1791", "1.2.840.113556.1.4.1935", "1.2.840.113556.1.4.2080", "1.2.840.113556.1.4.2237",
	}),
	rootText("subschemaSubentry", (*Replica).aggregate),
	rootText("serverName", (*Replica).serverDN),
	rootText("schemaNamingContext", func(r *Replica) string { return r.ncs[ncSchema].dn.String() }),
	{name: "namingContexts", values: func(v *view, _ *Caller, _ time.Time) []string {
		var list []string
		for _, k := range []ncKind{ncDomain, ncConfiguration, ncSchema, ncDomainDNS, ncForestDNS} {
			if v.r.holds(k) {
				list = append(list, v.r.ncs[k].dn.String())
			}
		}
		return list
	}},
	rootText("isSynchronized", func(*Replica) string { return "TRUE" }),
	{name: "highestCommittedUSN", values: func(v *view, _ *Caller, _ time.Time) []string {
		return []string{strconv.FormatUint(v.rs.usn, 10)}
	}},
	rootText("dsServiceName", (*Replica).ntdsDN),
	rootText("dnsHostName", func(r *Replica) string { return r.name + "." + r.domain.DNSName }),
	rootText("defaultNamingContext", func(r *Replica) string { return r.domain.DN }),
	{name: "currentTime", values: func(_ *view, _ *Caller, wire time.Time) []string {
		return []string{wire.UTC().Truncate(time.Second).Format(timeLayout)}
	}},
	rootText("configurationNamingContext", func(r *Replica) string { return r.ncs[ncConfiguration].dn.String() }),
	{name: "supportedExtension", extra: true, values: func(*view, *Caller, time.Time) []string {
		return []string{"1.3.6.1.4.1.1466.20037", "1.3.6.1.4.1.1466.101.119.1", "1.2.840.113556.1.4.1781", "1.3.6.1.4.1.4203.1.11.3", "1.2.840.113556.1.4.2212"}
	}},
	{name: "validFSMOs", extra: true, values: func(v *view, _ *Caller, _ time.Time) []string {
		if v.r.index != v.r.domain.replicas[0].index {
			return nil
		}
		list := []string{v.r.domain.DN, "CN=Infrastructure," + v.r.domain.DN, "CN=RID Manager$,CN=System," + v.r.domain.DN}
		if v.r.index == 0 {
			list = append(list, v.r.ncs[ncSchema].dn.String(), "CN=Partitions,"+v.r.ncs[ncConfiguration].dn.String())
		}
		return list
	}},
	{name: "dsSchemaAttrCount", extra: true, values: func(*view, *Caller, time.Time) []string {
		return []string{strconv.Itoa(int(numAttributes))}
	}},
	{name: "dsSchemaClassCount", extra: true, values: func(*view, *Caller, time.Time) []string {
		return []string{strconv.Itoa(len(theSchema().classes))}
	}},
}

// controllerLevel is what the operating system of the domain controllers can be raised to, by its build.
func (f *Forest) controllerLevel() int {
	switch b := f.build(); {
	case b >= 0x65f4:
		return 10
	case b >= 0x3839:
		return 7
	case b >= 0x2580:
		return 6
	case b >= 0x23f0:
		return 5
	}
	return 4
}

var supportedPolicies = []string{
	"MaxPoolThreads", "MaxPercentDirSyncRequests", "MaxDatagramRecv", "MaxReceiveBuffer", "InitRecvTimeout", "MaxConnections", "MaxConnIdleTime", "MaxPageSize",
	"MaxBatchReturnMessages", "MaxQueryDuration", "MaxDirSyncDuration", "MaxTempTableSize", "MaxResultSetSize", "MinResultSets", "MaxResultSetsPerConn",
	"MaxNotificationPerConn", "MaxValRange", "MaxValRangeTransitive", "ThreadMemoryLimit", "SystemMemoryLimitPercent",
}

var supportedControls = []string{
	"1.2.840.113556.1.4.319", "1.2.840.113556.1.4.801", "1.2.840.113556.1.4.473", "1.2.840.113556.1.4.528", "1.2.840.113556.1.4.417", "1.2.840.113556.1.4.619",
	"1.2.840.113556.1.4.841", "1.2.840.113556.1.4.529", "1.2.840.113556.1.4.805", "1.2.840.113556.1.4.521", "1.2.840.113556.1.4.970", "1.2.840.113556.1.4.1338",
	"1.2.840.113556.1.4.474", "1.2.840.113556.1.4.1339", "1.2.840.113556.1.4.1340", "1.2.840.113556.1.4.1413", "2.16.840.1.113730.3.4.9", "2.16.840.1.113730.3.4.10",
	"1.2.840.113556.1.4.1504", "1.2.840.113556.1.4.1852", "1.2.840.113556.1.4.802", "1.2.840.113556.1.4.1907", "1.2.840.113556.1.4.1948", "1.2.840.113556.1.4.1974",
	"1.2.840.113556.1.4.1341", "1.2.840.113556.1.4.2026", "1.2.840.113556.1.4.2064", "1.2.840.113556.1.4.2065", "1.2.840.113556.1.4.2066", "1.2.840.113556.1.4.2090",
	"1.2.840.113556.1.4.2205", "1.2.840.113556.1.4.2204", "1.2.840.113556.1.4.2206", "1.2.840.113556.1.4.2211", "1.2.840.113556.1.4.2239", "1.2.840.113556.1.4.2255",
	"1.2.840.113556.1.4.2256", "1.2.840.113556.1.4.2309", "1.2.840.113556.1.4.2330", "1.2.840.113556.1.4.2354",
}
