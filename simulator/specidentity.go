package simulator

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// errForeignSID: the Sid of the credential spec is another one than that of the domain which the DC is of.
var errForeignSID = errors.New("the DC is of a domain with another SID")

// errForeignGUID does the same for the Guid.
var errForeignGUID = errors.New("no DC is of the domain with this GUID")

// specEntryError: the credential spec has no entry under which the host may look for an account.
type specEntryError struct {
	account string
	form    string // of the domain's name by which the process names the account; "" for the container's own use
	scopes  []string
}

func (e *specEntryError) Error() string {
	if e.form != "" {
		return fmt.Sprintf("the credential spec has no entry for %s in the scope %s", e.account, e.form)
	}
	return fmt.Sprintf("the credential spec has no entry for %s in a domain that can be asked", e.account)
}

// foreignAccountError: an account of another domain than the host's, whose password the host cannot have (Microsoft, "Troubleshoot gMSAs for
// Windows containers": the host is joined to the domain of the gMSA).
type foreignAccountError struct {
	account    string
	dom        *directory.Domain
	additional bool
	host       *Host
}

func (e *foreignAccountError) Error() string {
	return fmt.Sprintf("%s is an account of %s, the host one of %s", e.account, e.dom.DNSName, e.host.dom.DNSName)
}

// mayAsk finds the entry under which the host asks for an account's password.
//
// guess: the host hands out passwords of the accounts in GroupManagedServiceAccounts only, looked up in the domain of Scope, and
// MachineAccountName has to be one of them
func (r *Running) mayAsk(account string) error {
	var foreign *directory.Domain
	e := &specEntryError{account: account}
	byPlugin := r.reader() == windows.PluginReads // whose user may be of any domain
	for _, entry := range r.spec.entries(account) {
		e.scopes = append(e.scopes, entry.Scope)
		if byPlugin {
			return nil
		}
		switch dom := r.h.d.forest.Domain(entry.Scope); dom {
		case nil:
		case r.h.dom:
			return nil
		default:
			foreign = dom
		}
	}
	if foreign != nil {
		return &foreignAccountError{account, foreign, !strings.EqualFold(account, r.account()), r.h}
	}
	return e
}

// mayRunAs tells whether a process may be the account that it was told, DOMAIN\account$ or account$@domain.
//
// guess: the container's own account needs an entry with the form of the domain's name that is used; an additional account goes by either
// form, as New-CredentialSpec writes a single entry for it
func (r *Running) mayRunAs(user windows.User, account string) error {
	form, _, ok := strings.Cut(user.Name, `\`)
	if !ok {
		_, form, _ = strings.Cut(user.Name, "@")
	}
	e := &specEntryError{account: account, form: form}
	own := strings.EqualFold(account, r.account())
	for _, entry := range r.spec.entries(account) {
		e.scopes = append(e.scopes, entry.Scope)
		dom := r.h.d.forest.Domain(form)
		if strings.EqualFold(entry.Scope, form) || !own && dom != nil && dom == r.h.d.forest.Domain(entry.Scope) {
			return nil
		}
	}
	return &noPasswordError{r, account, e}
}

// trusts tells whether the domain of a DC is the one that the container believes to be in.
//
// guess: a Sid of another domain or of an account leaves sign-ins alone and spoils what compares SIDs: the verification of the trust and the
// translation of names (Virtualization-Documentation issue 1508 has Netlogon failures without saying which)
func (r *Running) trusts(dc *DC) bool { return r.spec.ofSID(dc.dom.SID) }

// pingedBy tells why a DC does not answer the locator of Netlogon, which sends the GUID of its domain along ([MS-ADTS] 6.3.3.2: a DC of
// another domain stays silent); "" when it does.
//
// guess: Netlogon in a container sends the Guid of the credential spec, other programs look a DC up by the domain's name alone
func (r *Running) pingedBy(dc *DC) string {
	if r.spec.ofGUID(dc.dom.GUID) {
		return ""
	}
	return "is of a domain with another GUID"
}
