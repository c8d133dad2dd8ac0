package main

import "path"

// A decision is a function whose answer decides whether something works.
type decision struct {
	pkg     string // path of its package below the root
	fn      string // its name, behind its receiver's type if it has one
	why     string // what it decides
	answers []answer
	// unseen says, by the name of an answer, why no scenario of the catalogue can tell that mutant from the function. Such a mutant is the
	// business of the package's own tests.
	unseen map[string]string
}

// An answer is what a mutant answers: Go statements at the beginning of the function's body.
type answer struct{ name, code string }

// name is how the decision is told apart from all others.
func (d decision) name() string { return d.pkg + " " + d.fn }

// mutant is the value of the environment variable that makes the decision answer a.
func (d decision) mutant(a answer) string { return path.Base(d.pkg) + "." + d.fn + "=" + a.name }

// always are the answers of most decisions: yes, which lets things work, and no.
func always(yes, no string) []answer {
	return []answer{{"yes", "return " + yes}, {"no", "return " + no}}
}

var boolean = always("true", "false")

// Reasons why scenarios do not see a mutant.
const (
	asksKDS  = "domains ask fakeads/kds, which has three rules; its Policy.Serves is in this list"
	followed = "containers do not ask it: it follows from ChannelName, NetworkName and DC.admits, and simulator.TestRunAgreesWithTheRules holds both against each other"
	noBind   = "clients of the catalogue sign in with Kerberos, and nothing else compares a password that was typed"
)

// decisions are the functions that the guide's failures hang on.
var decisions = []decision{
	// The key distribution service and the passwords that it gives.
	{pkg: "fakeads/kds", fn: "Policy.Serves", why: "a root key is old enough", answers: boolean},
	{pkg: "fakeads/kds", fn: "RootKey.Check", why: "a root key is well formed", answers: always("nil", "ErrBadKey"),
		unseen: map[string]string{"yes": "Add-KdsRootKey makes no malformed key"}},
	{pkg: "fakeads/directory", fn: "mayRetrieve", why: "who is in msDS-GroupMSAMembership may read the password", answers: boolean},
	{pkg: "fakeads/directory", fn: "Caller.keepsSecrets", why: "a password goes over a sealed connection only", answers: boolean},

	// Access checks and the tokens that they look at.
	{pkg: "fakeads/security", fn: "Descriptor.Allows", why: "a descriptor grants a right to a token", answers: boolean},
	{pkg: "fakeads/security", fn: "Access.Allows", why: "the same for one token and many objects", answers: boolean},
	{pkg: "fakeads/security", fn: "Token.Has", why: "a token holds a SID", answers: boolean},
	{pkg: "fakeads/security", fn: "ObjectTypes.covers", why: "an entry for an attribute or a set is about the attribute", answers: boolean},
	{pkg: "fakeads/directory", fn: "Replica.Token", why: "the groups of the ticket count, not those that the directory has by now",
		answers: []answer{{"directory", "if a, err := r.AccountBySID(user); err == nil { return r.TokenFor(a) }"}, {"none", "sids = nil"}}},
	{pkg: "fakeads/directory", fn: "rights.read", why: "a caller may read an attribute", answers: boolean, unseen: map[string]string{"yes": "no attribute of the catalogue is kept from people who signed in"}},
	{pkg: "fakeads/directory", fn: "rights.write", why: "a caller may write an attribute", answers: boolean},
	{pkg: "fakeads/directory", fn: "tx.administrator", why: "a caller has the privileges of Administrators", answers: boolean, unseen: map[string]string{"yes": "whoever is no administrator in the catalogue has no right that the privilege would add to"}},
	{pkg: "fakeads/directory", fn: "tx.memberAllowed", why: "the scope of a group takes a member", answers: always("nil", "unwilling(errInvalidMember)")},

	// Names that have to be found, and to be found once.
	{pkg: "fakeads/directory", fn: "Replica.AccountBySPN", why: "one account holds a service principal name",
		answers: []answer{{"krbtgt", `return r.AccountByName(Principal, "krbtgt")`}, {"none", "return nil, ErrNoAccount"},
			{"first", "v := r.view(); if o, _ := v.bySPNOrAlias(spn); len(o) > 0 { return v.account(o[0]), nil }; return nil, ErrNoAccount"}}},
	{pkg: "fakeads/directory", fn: "view.mappedClass", why: "host/ stands for other classes", answers: always(`"host"`, `""`)},
	{pkg: "fakeads/directory", fn: "Replica.DomainOfSPN", why: "another domain of the forest holds a service principal name",
		answers: always("r.forest.domains[len(r.forest.domains)-1]", "nil")},
	{pkg: "fakeads/directory", fn: "tx.checkSPNs", why: "a service principal name is unique in the forest",
		answers: always("nil", "attrErr(resultConstraintViolation, errSPNNotUnique, 1005, t.s.def(aServicePrincipalName))")},
	{pkg: "fakeads/directory", fn: "tx.checkSAM", why: "a sAMAccountName is unique in the domain and well formed",
		answers: always("nil", `updErr(resultAlreadyExists, errUserExists, 6005, "ENTRY_EXISTS")`)},
	{pkg: "fakeads/directory", fn: "tx.ownSPN", why: "a validated write names the computer itself", answers: boolean,
		unseen: map[string]string{"yes": "no host writes its own names over LDAP", "no": "no host writes its own names over LDAP"}},
	{pkg: "fakeads/directory", fn: "passwordPolicy.locked", why: "an account is locked out", answers: boolean, unseen: map[string]string{"no": "no account of the catalogue is locked out by wrong passwords"}},
	{pkg: "fakeads/directory", fn: "secret.matches", why: "a password that was typed is the account's", answers: always("true, nil", "false, nil"), unseen: map[string]string{"yes": noBind, "no": noBind}},

	// Kerberos.
	{pkg: "fakekdc", fn: "Policy.isSkewed", why: "a client's clock is too far from the KDC's", answers: boolean},
	{pkg: "fakekdc", fn: "restricted", why: "an account may sign in", answers: always("nil", `refuse(ErrCodeClientRevoked, "mutant")`)},
	{pkg: "fakekdc", fn: "exchange.standing", why: "the owner of a TGT still is who it was",
		answers: []answer{{"yes", "tgt.client, _ = x.kdc.Principals.Client(ctx, tgt.cname); return nil"}, {"no", `return refuse(ErrCodeTGTRevoked, "mutant")`}}},
	{pkg: "fakekdc", fn: "exchange.checkTimes", why: "a ticket holds at this time", answers: always("nil", `refuse(ErrCodeTicketExpired, "mutant")`), unseen: map[string]string{"yes": "clients of the catalogue get a new ticket before theirs ends"}},
	{pkg: "fakekdc/gss", fn: "Acceptor.isSkewed", why: "a client's clock is too far from the server's", answers: boolean},
	{pkg: "fakekdc/gss", fn: "samePrincipal", why: "an authenticator is of the ticket's client", answers: boolean,
		unseen: map[string]string{"yes": "no client forges an authenticator"}},
	{pkg: "fakekdc/gss", fn: "ReplayCache.seen", why: "an authenticator is used once", answers: boolean,
		unseen: map[string]string{"no": "no client replays an authenticator"}},

	// The rules of the releases, P1 to P12.
	{pkg: "simulator/windows", fn: "ImageAllowed", why: "P1: a host runs an image", answers: boolean},
	{pkg: "simulator/windows", fn: "BaselinesDiffer", why: "P1: 32-bit processes fail across the update of February 2020", answers: boolean},
	{pkg: "simulator/windows", fn: "IsolationOffered", why: "P2: a host offers an isolation", answers: boolean},
	{pkg: "simulator/windows", fn: "GMSAStart", why: "P3: a container with a credential spec starts", answers: always("Starts", "StartHangs")},
	{pkg: "simulator/windows", fn: "NTLMAndSIDWork", why: "P4: NTLM and the translation of names work under a host name", answers: boolean, unseen: map[string]string{"yes": followed, "no": followed}},
	{pkg: "simulator/windows", fn: "ChannelDisplaced", why: "P5: the secure channel is taken over by another container", answers: boolean, unseen: map[string]string{"yes": followed, "no": followed}},
	{pkg: "simulator/windows", fn: "ChannelName", why: "P5: the name under which a controller keeps a session",
		answers: []answer{{"one for all", `return "X"`}, {"one for each", "return strings.ToUpper(c.ID)"}}},
	{pkg: "simulator/windows", fn: "UserSwitchAllowed", why: "P6: a container starts as a user", answers: boolean},
	{pkg: "simulator/windows", fn: "IdentityOf", why: "P7: the account that a process is on the network", answers: always(`strings.TrimSuffix(account, "$")`, `""`)},
	{pkg: "simulator/windows", fn: "RetrievalPath", why: "P8: who reads the managed password",
		answers: []answer{{"computer", "return ComputerReads"}, {"plugin", "return PluginReads"}, {"nobody", "return NobodyReads"}}},
	{pkg: "simulator/windows", fn: "NetworkName", why: "P9: the names of a container on the network",
		answers: []answer{{"account", `return Names{Netlogon: strings.TrimSuffix(account, "$"), Kerberos: account}`}, {"host name", "return Names{Netlogon: hostname, Kerberos: account}"}}},
	{pkg: "simulator/windows", fn: "KubernetesSupport", why: "P10: Kubernetes knows credential specs", answers: always("KubernetesStable", "KubernetesNone")},
	{pkg: "simulator/windows", fn: "EngineRuns", why: "P11: an engine runs on a host", answers: boolean},
	{pkg: "simulator/windows", fn: "RootKeyUsable", why: "P12: a root key is old enough", answers: boolean,
		unseen: map[string]string{"yes": asksKDS, "no": asksKDS}},
	{pkg: "simulator/windows", fn: "Image.Has", why: "an image has a tool", answers: boolean},

	// Hosts, containers and domain controllers.
	{pkg: "simulator", fn: "DC.admits", why: "a call is made under the session that the controller remembers", answers: boolean},
	{pkg: "simulator", fn: "DC.Running", why: "a controller answers", answers: boolean},
	{pkg: "simulator", fn: "Host.storedSpec", why: "the credential spec is found in the folder",
		answers: []answer{{"any", "h.mu.Lock(); defer h.mu.Unlock(); for _, t := range h.files.files { return t, true }; return nil, false"}, {"none", "return nil, false"}}},
	{pkg: "simulator", fn: "Running.mayAsk", why: "the credential spec names the account", answers: always("nil", "&specEntryError{account: account}")},
	{pkg: "simulator", fn: "Running.mayRunAs", why: "a process may be the account that it was told", answers: always("nil", "&noPasswordError{r, account, &specEntryError{account: account}}")},
	{pkg: "simulator", fn: "Running.trusts", why: "the SID of the credential spec is the domain's", answers: boolean},
	{pkg: "simulator", fn: "Running.pingedBy", why: "the GUID of the credential spec is the domain's", answers: always(`""`, `"mutant"`)},
	{pkg: "simulator", fn: "Plugin.allowed", why: "Container Credential Guard may load a plug-in", answers: boolean},
	{pkg: "simulator", fn: "Running.credentialGuard", why: "Container Credential Guard answers", answers: always("nil", "&ccgError{r.h, r.id}")},
	{pkg: "simulator", fn: "Handover.reaches", why: "the engine gets the credential spec", answers: boolean},
	{pkg: "simulator", fn: "shuts", why: "a port is closed", answers: boolean},
	{pkg: "simulator", fn: "station.overlaps", why: "a container's network hides that of the controllers", answers: boolean},
	{pkg: "simulator", fn: "Domain.hasPolicy", why: "a policy is in force", answers: boolean},
	{pkg: "simulator", fn: "Running.entryPoint", why: "the entry point of an image runs", answers: always("nil", "&monitorError{r}")},

	// Kubernetes.
	{pkg: "simulator/kubernetes", fn: "Cluster.gmsa", why: "the cluster knows gMSA settings", answers: boolean},
	{pkg: "simulator/kubernetes", fn: "Cluster.byAnnotation", why: "the settings are annotations", answers: boolean},
	{pkg: "simulator/kubernetes", fn: "Webhook.ready", why: "the webhook answers", answers: boolean},
	{pkg: "simulator/kubernetes", fn: "Cluster.validate", why: "the webhook admits a pod", answers: always("nil", `&deniedError{403, "mutant", useDenied, ""}`)},
	{pkg: "simulator/kubernetes", fn: "Cluster.mayUse", why: "a service account may use a credential spec", answers: boolean},
	{pkg: "simulator/kubernetes", fn: "ClusterRole.allows", why: "a rule covers a credential spec", answers: boolean},
	{pkg: "simulator/credspec/consumer", fn: "WebhookContents", why: "a pod has the contents of the object", answers: always("true, nil", "false, nil")},
	{pkg: "simulator/credspec/consumer", fn: "Place.NeedsRole", why: "the agent fetches the credential spec as the execution role", answers: boolean},
	{pkg: "simulator/kubernetes", fn: "validateUpdate", why: "the gMSA of a pod may be changed", answers: always("nil", `&deniedError{403, "mutant", updateForbidden, ""}`)},
	{pkg: "simulator/kubernetes", fn: "node.fits", why: "a node has the labels of a selector", answers: boolean},
	{pkg: "simulator/kubernetes", fn: "Cluster.stub", why: "a stub domain covers the domain", answers: boolean},
	{pkg: "simulator/kubernetes", fn: "Cluster.truncated", why: "an answer of the locator needs TCP and cannot have it", answers: boolean},
}
