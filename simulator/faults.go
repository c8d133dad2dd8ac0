package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Op is a kind of exchange: what an [Event] records and what a [Fault] strikes.
type Op string

// The kinds of exchange.
const (
	DNSLookup   Op = "dns.lookup"
	LDAPConnect Op = "ldap.connect"
	LDAPBind    Op = "ldap.bind"
	LDAPSearch  Op = "ldap.search"
	LDAPWrite   Op = "ldap.write" // add, modify, modifyDN, delete
	LDAPOther   Op = "ldap.other" // compare, extended, abandon, unbind
	KDCAS       Op = "kdc.as"
	KDCTGS      Op = "kdc.tgs"
	Kpasswd     Op = "kpasswd"
	Netlogon    Op = "netlogon" // setting up a secure channel; a [Held] may also be a call over one
)

// A Fault makes exchanges go wrong. It is matched and counted, never random: the same domain fails in the same place.
type Fault struct {
	// On is the kind of exchange.
	On Op `json:"on" yaml:"on"`
	// Match is text that the event of the exchange must contain, for instance a filter, an SPN, a principal or a name that is
	// looked up, without regard to case; "" matches all.
	Match string `json:"match,omitempty" yaml:"match,omitempty"`
	// DC restricts the fault to one DC.
	DC string `json:"dc,omitempty" yaml:"dc,omitempty"`
	// From restricts the fault to one host; "outside" means clients on sockets.
	From string `json:"from,omitempty" yaml:"from,omitempty"`
	// Skip lets this many exchanges through first.
	Skip int `json:"skip,omitempty" yaml:"skip,omitempty"`
	// Count is how many exchanges are struck; 0 means all until the fault is removed.
	Count int `json:"count,omitempty" yaml:"count,omitempty"`
	// Do is what happens.
	Do Outcome `json:"do" yaml:"do"`
}

// Outcome is what a fault does to an exchange. As text: "drop", "reset", "busy", "unavailable", "noDC", "refuse 53", "krbError 7".
type Outcome struct {
	kind string
	code int
}

// The outcomes without a number.
var (
	// Drop loses the request: the client waits and gives up.
	Drop = Outcome{kind: "drop"}
	// Reset closes the connection.
	Reset = Outcome{kind: "reset"}
	// Busy is LDAP result 51.
	Busy = Outcome{kind: "busy", code: 51}
	// Unavailable is LDAP result 52.
	Unavailable = Outcome{kind: "unavailable", code: 52}
	// NoDC answers a lookup with no record.
	NoDC = Outcome{kind: "noDC"}
)

// Refuse is an LDAP result code.
func Refuse(code int) Outcome { return Outcome{kind: "refuse", code: code} }

// KRBError is a KRB-ERROR with this error code (RFC 4120 7.5.9).
func KRBError(code int) Outcome { return Outcome{kind: "krbError", code: code} }

// String gives the form that UnmarshalText reads.
func (o Outcome) String() string {
	if o.kind == "refuse" || o.kind == "krbError" {
		return o.kind + " " + strconv.Itoa(o.code)
	}
	return o.kind
}

// MarshalText gives the form that UnmarshalText reads.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads one of the outcomes.
func (o *Outcome) UnmarshalText(b []byte) error {
	word, number, numbered := strings.Cut(string(b), " ")
	for _, known := range []Outcome{Drop, Reset, Busy, Unavailable, NoDC} {
		if !numbered && strings.EqualFold(word, known.kind) {
			*o = known
			return nil
		}
	}
	if numbered {
		if n, err := strconv.Atoi(number); err == nil && n > 0 && n < 1<<16 {
			switch {
			case strings.EqualFold(word, "refuse"):
				*o = Refuse(n)
				return nil
			case strings.EqualFold(word, "krbError"):
				*o = KRBError(n)
				return nil
			}
		}
	}
	return fmt.Errorf(`outcome %q: want drop, reset, busy, unavailable, noDC, "refuse CODE" or "krbError CODE"`, b)
}

// mismatch tells why the outcome cannot happen to the kind of exchange; "" when it can.
func (f Fault) mismatch() string {
	ldap := strings.HasPrefix(string(f.On), "ldap.")
	kerberos := f.On == KDCAS || f.On == KDCTGS || f.On == Kpasswd
	switch f.Do.kind {
	case "":
		return "the outcome is missing: drop, reset, busy, unavailable, noDC, refuse CODE or krbError CODE"
	case Busy.kind, Unavailable.kind, "refuse":
		if !ldap || f.On == LDAPConnect {
			return fmt.Sprintf("%s is an answer of LDAP and cannot happen to %s", f.Do, f.On)
		}
	case "krbError":
		if !kerberos {
			return fmt.Sprintf("%s is an answer of a KDC and cannot happen to %s", f.Do, f.On)
		}
	case NoDC.kind:
		if f.On != DNSLookup {
			return fmt.Sprintf("%s is an answer of DNS and cannot happen to %s", f.Do, f.On)
		}
	}
	return ""
}

// faultInForce is a fault with what it has done so far.
type faultInForce struct {
	Fault
	id            int
	seen, strikes int
}

// spent tells that the fault will not strike again.
func (f *faultInForce) spent() bool { return f.Count > 0 && f.strikes >= f.Count }

// Inject puts a fault in force and returns the function that removes it. It panics when the fault cannot happen, for instance
// [Busy] on a Kerberos exchange.
func (d *Domain) Inject(f Fault) (remove func()) {
	if problem := f.mismatch(); problem != "" {
		panic("simulator: Inject: " + problem)
	}
	d.mu.Lock()
	d.lastFault++
	id := d.lastFault
	d.faults = append(d.faults, &faultInForce{Fault: f, id: id})
	d.mu.Unlock()
	d.event(Event{Op: opFault, To: f.DC, From: f.From, Text: fmt.Sprintf("inject %s on %s %s", f.Do, f.On, f.Match)})
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.faults = slices.DeleteFunc(d.faults, func(g *faultInForce) bool { return g.id == id })
	}
}

// Faults lists the faults that will still strike.
func (d *Domain) Faults() []Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []Fault
	for _, f := range d.faults {
		if !f.spent() {
			list = append(list, f.Fault)
		}
	}
	return list
}

// ClearFaults removes all faults.
func (d *Domain) ClearFaults() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = nil
}

// faulty tells whether there is a fault that may strike, or something to hold.
func (d *Domain) faulty() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.faults)+len(d.holds) > 0
}

// strike asks whether a fault hits this exchange, and counts it. An exchange that is held waits first.
func (d *Domain) strike(op Op, from, dc, text string) (Outcome, bool) {
	d.await(op, from)
	d.mu.Lock()
	var hit *faultInForce
	for _, f := range d.faults {
		if f.On != op || f.spent() || f.DC != "" && !strings.EqualFold(f.DC, dc) || f.From != "" && !strings.EqualFold(f.From, from) ||
			!strings.Contains(strings.ToLower(text), strings.ToLower(f.Match)) {
			continue
		}
		if f.seen++; f.seen <= f.Skip {
			continue
		}
		f.strikes++
		hit = f
		break
	}
	d.mu.Unlock()
	if hit == nil {
		return Outcome{}, false
	}
	d.event(Event{Op: opFault, From: from, To: dc, Text: fmt.Sprintf("%s strikes %s %s", hit.Do, op, text)})
	return hit.Do, true
}
