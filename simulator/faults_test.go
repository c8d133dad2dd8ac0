package simulator

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// healthyPath is what a container host does all day. Each exchange of it is a place for a fault.
func healthyPath(d *Domain) error {
	h := d.Host("ContainerHost01")
	if err := h.TestServiceAccount("WebApp01"); err != nil {
		return err
	}
	if _, err := h.SignInAsServiceAccount("WebApp01"); err != nil {
		return err
	}
	_, err := h.KerberosTo("host/WebApp01.contoso.com")
	return err
}

// outcomesOf are the outcomes that can happen to a kind of exchange.
func outcomesOf(op Op) []Outcome {
	all := []Outcome{Drop, Reset, Busy, Unavailable, NoDC, Refuse(1), Refuse(49), Refuse(53), KRBError(6), KRBError(7), KRBError(24), KRBError(29), KRBError(37), KRBError(60)}
	return slices.DeleteFunc(all, func(o Outcome) bool { return Fault{On: op, Do: o}.mismatch() != "" })
}

// TestEveryFaultAtEveryStep strikes the healthy path with each fault at each of its exchanges: nothing hangs, and what fails says at
// which step. Afterwards the same path works.
func TestEveryFaultAtEveryStep(t *testing.T) {
	struck := 0
	for _, op := range []Op{DNSLookup, LDAPConnect, LDAPBind, LDAPSearch, LDAPOther, KDCAS, KDCTGS} {
		for _, o := range outcomesOf(op) {
			for skip := 0; ; skip++ {
				cfg := Contoso()
				cfg.Keys = rememberedForTests
				cfg.Faults = []Fault{{On: op, Skip: skip, Count: 1, Do: o}}
				d := StartT(t, cfg)
				err := healthyPath(d)
				if len(d.Faults()) > 0 {
					break // the path has no such exchange any more
				}
				struck++
				name := fmt.Sprintf("%s on %s number %d", o, op, skip)
				if err != nil {
					_, isFinding := diag.Of(err)
					_, isStep := errors.AsType[*stepError](err)
					if !isFinding && !isStep {
						t.Errorf("%s: got %v, want a finding or an error with its step", name, err)
					}
				}
				if err := healthyPath(d); err != nil {
					t.Errorf("%s, the second time: got %v, want success", name, err)
				}
				check(t, d.Close())
			}
		}
	}
	if struck < 50 {
		t.Errorf("got %d faults that struck, want many", struck)
	}
}
