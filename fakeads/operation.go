package fakeads

// OperationKind is what a client wants.
type OperationKind string

// The kinds of operations. KindConnect is the arrival of a connection, before
// anything has been said on it.
const (
	KindConnect  OperationKind = "connect"
	KindBind     OperationKind = "bind"
	KindSearch   OperationKind = "search"
	KindAdd      OperationKind = "add"
	KindModify   OperationKind = "modify"
	KindModifyDN OperationKind = "modifyDN"
	KindDelete   OperationKind = "delete"
	KindCompare  OperationKind = "compare"
	KindExtended OperationKind = "extended"
	KindAbandon  OperationKind = "abandon"
	KindUnbind   OperationKind = "unbind"
)

// Operation is one thing a client asked for and what became of it.
type Operation struct {
	Kind OperationKind
	// Account is who asks, CONTOSO\alice, or "" for anonymous. For a bind it is
	// who the client has become.
	Account string
	// Text is the request in one line: "base=DC=contoso,DC=com scope=sub
	// filter=(cn=x) attrs=a,b", a name, "GSS-SPNEGO seal".
	Text string
	// Layer protects the connection: "plain", "sign", "seal" or "tls". For a
	// bind it is the layer from then on.
	Layer string
	// Result is the LDAP result code, ResultName its name in RFC 4511 4.1.9.
	Result     int
	ResultName string
	// Diagnostic is the diagnostic message of the answer.
	Diagnostic string
	// Entries is how many entries a search found.
	Entries int
	// NotModelled says what was asked for and is not modelled; mostly empty.
	NotModelled string
	// Withheld are attributes that were asked for by name and silently left out
	// because the caller may not read them: msDS-ManagedPassword.
	Withheld []string
	// Fault is the internal failure behind a result of 80, nil otherwise.
	Fault error
}

// Intercepted is what Config.Intercept wants done instead. The zero value:
// nothing, the operation is carried out.
type Intercepted struct {
	// Result other than 0 is answered, with Diagnostic, in place of carrying the
	// operation out.
	Result     int
	Diagnostic string
	// Drop leaves the operation without effect and without answer.
	Drop bool
	// Reset closes the connection without a word.
	Reset bool
}
