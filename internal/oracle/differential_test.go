//go:build oracle

package oracle_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/internal/oracle"
)

// For writing new operations: what a side prints is seen before gmsasim can answer it.
var (
	sambaOnly = flag.Bool("samba-only", false, "send the operations to Samba alone and compare nothing")
	show      = flag.Bool("show", false, "print what every operation printed, and its outcomes")
)

// An operation is one call of a stock client, sent to both sides in the same order.
type operation struct {
	name string
	// run is a line for the shell, or "krb …" for krbprobe.py. S, M, X and XS are options, see (*side).env; text/template fills in
	// SIDs, descriptors and passwords.
	run   string
	stdin string
	// as is the account whose credential cache the client finds. Default Administrator.
	as     string
	checks []oracle.Check
	// signIn gets the account of as a new TGT first.
	signIn bool
}

// A group is a list of operations on a fresh copy of the population.
type group struct {
	name string
	// ordered operations change the domain and build on each other; all others are shuffled.
	ordered bool
	// fresh leaves the gMSAs out of gmsasim's population: its key distribution service has read no root key yet.
	fresh bool
	// signIn lists the accounts that have a TGT when the group starts, beside Administrator.
	signIn []string
	// before runs on both sides first and must succeed; its output is not compared.
	before []operation
	ops    []operation
}

// TestDifferential sends every operation to Samba and to gmsasim and compares.
func TestDifferential(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the oracle is a domain controller in a chroot: it takes root")
	}
	if missing := missingClients(); len(missing) > 0 {
		t.Skipf("not installed, run .ci/clients.sh: %s", strings.Join(missing, ", "))
	}
	prepareSamba(t)
	binary := os.Getenv("GMSASIM_BINARY")
	if *sambaOnly {
		t.Log("only Samba: nothing is compared")
	} else if binary != "" {
		t.Logf("compared with the built %s", binary)
	} else {
		binary = filepath.Join(t.TempDir(), "gmsasim")
		if out, err := exec.Command("go", "build", "-o", binary, "github.com/gmsasim/gmsasim/cmd/gmsasim").CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("order of the shuffled groups: seed %d", seed)

	var table strings.Builder
	count := map[oracle.Grade]int{}
	operations, ran, used := 0, 0, map[string]int{}
	for _, g := range groups {
		t.Run(strings.ReplaceAll(g.name, " ", "_"), func(t *testing.T) {
			ran++
			ops := slices.Clone(g.ops)
			if !g.ordered {
				rand.New(rand.NewPCG(seed, 1)).Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
			}
			samba := outcomes(t, startSamba(t), g, ops)
			if *sambaOnly {
				return
			}
			gmsasim := outcomes(t, startGmsasim(t, binary, g), g, ops)
			for i, op := range ops {
				operations++
				verdicts := make([]string, 0, len(op.checks))
				for j, c := range op.checks {
					count[c.Grade]++
					verdict := string(c.Grade)
					if c.Differs != "" {
						used[c.Differs]++
						verdict += " " + c.Differs
						if _, ok := oracle.Differences[c.Differs]; !ok {
							t.Errorf("%s: %s is no row of the table of differences", op.name, c.Differs)
						}
					}
					if fault := c.Judge(samba[i][j], gmsasim[i][j]); fault != "" {
						t.Errorf("%s: %s: %s", op.name, c.Grade, fault)
						verdict += " FAIL"
					}
					verdicts = append(verdicts, verdict)
				}
				fmt.Fprintf(&table, "%-14s %-58s %s\n", g.name, op.name, strings.Join(verdicts, ", "))
			}
		})
	}
	for id := range oracle.Differences {
		if t.Failed() || *sambaOnly || ran < len(groups) {
			break
		}
		if used[id] == 0 {
			t.Errorf("no operation shows the allowed difference %s: remove the row or add the operation", id)
		}
	}
	t.Logf("%d operations, %d comparisons (exact %d, code %d, class %d, structure %d)\n%s", operations,
		count[oracle.Exact]+count[oracle.Code]+count[oracle.Class]+count[oracle.Structure],
		count[oracle.Exact], count[oracle.Code], count[oracle.Class], count[oracle.Structure], table.String())
}

// outcomes runs a group on one side. The result is by operation and check.
func outcomes(t *testing.T, s *side, g group, ops []operation) [][]string {
	t.Helper()
	for _, account := range g.signIn {
		s.signIn(t, account)
	}
	for _, op := range g.before {
		if r := s.run(t, op); r.Code != "exit 0" && r.Code != "krb 0" {
			t.Errorf("%s: before the group: %s: %s\n%s", s.name, op.run, r.Code, r.Text)
		}
	}
	result := make([][]string, len(ops))
	for i, op := range ops {
		if op.signIn {
			s.signIn(t, op.as)
		}
		r := s.run(t, op)
		if *show {
			t.Logf("%s: %s\n%s", s.name, op.name, r.Text)
		}
		for _, c := range op.checks {
			outcome := c.Outcome(r, s.norm)
			if *show {
				t.Logf("%s: %s: %s: %s", s.name, op.name, c.Grade, outcome)
			}
			result[i] = append(result[i], outcome)
		}
	}
	return result
}

func missingClients() []string {
	var missing []string
	for _, p := range []string{"debootstrap", "ldapsearch", "kinit", "kvno", "dig", "unshare", python} {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, p)
		}
	}
	return missing
}

// exact compares the values of the given fields, or of all.
func exact(fields ...string) oracle.Check { return oracle.Check{Grade: oracle.Exact, Of: fields} }

// code compares the result code.
func code() oracle.Check { return oracle.Check{Grade: oracle.Code} }

// class compares success or refusal and the presence of facts.
func class(facts ...string) oracle.Check { return oracle.Check{Grade: oracle.Class, Of: facts} }

// structure compares the sets of fields.
func structure() oracle.Check { return oracle.Check{Grade: oracle.Structure} }

// differs makes c an allowed difference: id is a row of oracle.Differences, samba and gmsasim are the outcomes.
func differs(id string, c oracle.Check, samba, gmsasim string) oracle.Check {
	c.Differs, c.Samba, c.Gmsasim = id, samba, gmsasim
	return c
}

// salted compares the salt of an account, which Samba and gmsasim wrap differently (D14).
func salted(code, salt string) oracle.Check {
	entry := code + "\netype-info2: 18 salt=CONTOSO.COM" + salt
	return differs("D14", exact("etype-info2"), entry+" s2kparams=00001000", entry+"\netype-info2: 23 no-salt")
}

// unreadable is the entry of a gMSA without its password, and readable the line that the password adds.
func unreadable(gmsa string) string {
	return "dn: CN=" + gmsa + ",CN=Managed Service Accounts,DC=contoso,DC=com"
}

func readable(gmsa string) string {
	return "CN=" + gmsa + ",CN=Managed Service Accounts,DC=contoso,DC=com msDS-ManagedPassword: version=1 reserved=0 length=290/290 " +
		"current=16 previous=0 query=274 unchanged=282 query-unchanged=3000000000 terminator=0000"
}

func checks(c ...oracle.Check) []oracle.Check { return c }
