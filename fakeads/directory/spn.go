package directory

import (
	"fmt"
	"strings"
)

// directoryService is where the forest keeps its settings, below the configuration naming context.
const directoryService = "CN=Directory Service,CN=Windows NT,CN=Services,"

func (v *view) directoryService() *entry {
	return v.byName(directoryService + v.r.ncs[ncConfiguration].dn.String())
}

// mappedClass is the service class whose names serve those of another class: the attribute sPNMappings of the Directory Service
// object, in practice host= and the classes that host/ stands for ([MS-ADTS] 6.1.1.2.4.1.1). "" for none.
func (v *view) mappedClass(class string) string {
	e := v.directoryService()
	if e == nil {
		return ""
	}
	for _, value := range e.values(aSPNMappings) {
		to, aliases, ok := strings.Cut(string(value), "=")
		if !ok {
			continue
		}
		for alias := range strings.SplitSeq(aliases, ",") {
			if strings.EqualFold(strings.TrimSpace(alias), class) {
				return strings.TrimSpace(to)
			}
		}
	}
	return ""
}

// bySPNOrAlias are the accounts of this replica's domain that a KDC finds for a service principal name, and the name by which it
// finds them: exactly the name in any case, else the name with the class that its own is mapped to. Neither a port nor a missing
// domain suffix is ignored ([MS-KILE] 3.3.5.1.1); host/X serves http/X, never the reverse.
func (v *view) bySPNOrAlias(spn string) (owners []*entry, found string) {
	if owners := v.servers(spn); len(owners) > 0 {
		return owners, spn
	}
	class, rest, ok := strings.Cut(spn, "/")
	if !ok {
		return nil, spn
	}
	to := v.mappedClass(class)
	if to == "" {
		return nil, spn
	}
	return v.servers(to + "/" + rest), to + "/" + rest
}

// servers are the accounts with exactly that name. A third part that names this domain is for domain controllers only: others
// have such names, and nobody finds them by these (Samba's spn_tests against Windows).
func (v *view) servers(spn string) []*entry {
	list := v.bySPN(spn)
	if len(list) == 0 {
		return nil
	}
	ownDomain := false
	if parts := strings.SplitN(spn, "/", 3); len(parts) == 3 {
		ownDomain = strings.EqualFold(parts[2], v.r.domain.DNSName)
	}
	accounts := list[:0:0]
	for _, e := range list {
		if e.isAccount() && (!ownDomain || uint32(e.int(aUserAccountControl))&uacServerTrust != 0) {
			accounts = append(accounts, e)
		}
	}
	return accounts
}

// AccountBySPN finds the account that holds a service principal name, exactly or through sPNMappings. ErrNoAccount when there is
// none. ErrDuplicateSPN when there are several, after logging event 11: a KDC does not choose.
func (r *Replica) AccountBySPN(spn string) (*Account, error) {
	v := r.view()
	owners, found := v.bySPNOrAlias(spn)
	switch len(owners) {
	case 0:
		return nil, ErrNoAccount
	case 1:
		return v.account(owners[0]), nil
	}
	r.report(Event{Log: "System", Source: "Microsoft-Windows-Kerberos-Key-Distribution-Center", ID: 11, Level: "Error", Object: owners[0].name.String(),
		Text: fmt.Sprintf("There are multiple accounts with name %s of type DS_SERVICE_PRINCIPAL_NAME.", found)})
	return nil, fmt.Errorf("%s: %w", found, ErrDuplicateSPN)
}

// DomainOfSPN finds the other domain of the forest whose account holds the name, as a KDC asks a global catalog before it makes
// a referral; nil: none. Of several domains the first counts.
func (r *Replica) DomainOfSPN(spn string) *Domain {
	v := r.view()
	for _, d := range r.forest.domains {
		if d == r.domain {
			continue
		}
		if owners, _ := v.inDomain(d).bySPNOrAlias(spn); len(owners) > 0 {
			return d
		}
	}
	return nil
}
