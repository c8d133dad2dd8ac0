package oracle

// A Difference is one way in which Samba 4.22 and gmsasim are meant to differ.
type Difference struct {
	// Samba and Gmsasim say in words what either side does.
	Samba, Gmsasim string
	// Because is the reason, with its source.
	Because string
	// NotOnTheWire marks a row that no operation of the suite can show, because it takes another clock or another domain.
	NotOnTheWire bool
}

// Differences is the table of allowed differences. A check names a row and gives the outcome of either side.
var Differences = map[string]Difference{
	"D1": {"32 noSuchObject", "53 unwillingToPerform", "a gMSA without a usable root key: Windows answers 53 (Samba's own tests against Windows)", false},
}
