package scenarios_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	. "github.com/onsi/gomega"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

var update = flag.Bool("update", false, "rewrite the goldens of the catalogue")

// TestScenarios may be run several times in one process, as by `go test -count=3`: each run makes its specs anew. Ginkgo refuses a
// count because it cannot do that by itself, so it is not told of it.
func TestScenarios(t *testing.T) {
	globals.Reset()
	count := flag.Lookup("test.count")
	asked := count.Value.String()
	set := func(n string) {
		if err := count.Value.Set(n); err != nil {
			t.Fatal(err)
		}
	}
	set("1")
	defer set(asked)
	if suite, _ := GinkgoConfiguration(); *update && suite.ParallelTotal > 1 {
		t.Fatal("the cases of a bundle share its file: goldens are rewritten by one process")
	}
	Describe("the catalogue", catalogue)
	Describe("a run of the whole catalogue", Ordered, wholeRun)
	Describe("the bundles of the catalogue", bundleTexts)
	Describe("the choice of cases", selection)
	RegisterFailHandler(Fail)
	RunSpecs(t, "scenarios")
}

// catalogue makes one spec for each case of the catalogue. Labels and releases choose among them:
//
//	--ginkgo.label-filter='area: containsAny {kds,spn}'
//	--ginkgo.label-filter='finding:GMSA202 && os:Windows-Server-2019'
//	--ginkgo.sem-ver-filter='windows=10.0.17763'
//
// Specs share nothing but keys, so they may run in several processes: go run github.com/onsi/ginkgo/v2/ginkgo -p ./scenarios.
func catalogue() {
	bundles, err := scenarios.Catalog()
	if err != nil {
		It("can be read", func() { Expect(err).NotTo(HaveOccurred()) })
		return
	}
	// Accounts have the same passwords in many cases; a key is derived once.
	keys := simulator.NewKeys()
	for _, b := range bundles {
		Describe(b.ID, bundleLabels(b), func() {
			goldens := map[string]string{}
			for _, c := range b.Cases {
				name := c.Name
				if name == "" {
					name = b.Title
				}
				It(name, caseDecorators(c), func(ctx SpecContext) {
					res := c.Run(ctx, scenarios.Options{Keys: keys, Update: *update})
					Expect(res.Error).To(BeEmpty())
					for _, s := range res.Steps {
						if s.Status == scenarios.Failed {
							Fail(fmt.Sprintf("%s: step %d, %s: %s\n%s", s.At, s.N, s.Verb, strings.Join(s.Problems, "\n"), strings.Join(res.Events, "\n")))
						}
					}
					Expect(res.Status).To(Equal(scenarios.Passed))
					for name, text := range res.Goldens() {
						goldens[name] = text
					}
				})
			}
			AfterEach(func() {
				if !*update || len(goldens) == 0 {
					return
				}
				text, err := b.Format(goldens)
				Expect(err).NotTo(HaveOccurred())
				Expect(os.WriteFile(filepath.FromSlash(b.File), text, 0o644)).To(Succeed())
			})
		})
	}
}

// wholeRun makes the specs about all cases together: the same seed gives the same bytes, and names decide nothing.
func wholeRun() {
	var bundles []*scenarios.Bundle
	var first []*scenarios.Result
	keys := simulator.NewKeys()

	BeforeAll(func(ctx SpecContext) {
		var err error
		bundles, err = scenarios.Catalog()
		Expect(err).NotTo(HaveOccurred())
		first = scenarios.Run(ctx, bundles, scenarios.Options{Jobs: 1, Transcript: true, Keys: keys})
	})

	It("gives the same bytes for the same seed, whatever runs beside", func(ctx SpecContext) {
		second := scenarios.Run(ctx, bundles, scenarios.Options{Jobs: 8, Transcript: true})
		expectSame(allOf(first), allOf(second))
		other := scenarios.Run(ctx, bundles[:1], scenarios.Options{Seed: 2, Transcript: true, Keys: keys})
		Expect(allOf(other)).NotTo(Equal(allOf(first[:1])))
	})

	It("does not depend on ids, titles, notes and the names of files", func(ctx SpecContext) {
		words := rand.New(rand.NewPCG(1, 0))
		names := regexp.MustCompile(`(?m)^(id|title|( *- | +)note): .*$`)
		var renamed []*scenarios.Bundle
		for _, b := range bundles {
			text, err := b.Format(nil)
			Expect(err).NotTo(HaveOccurred())
			id := randomWord(words) + "-" + randomWord(words)
			changed := names.ReplaceAllStringFunc(string(text), func(line string) string {
				key, _, _ := strings.Cut(line, ":")
				if key == "id" {
					return "id: " + id
				}
				return key + ": " + randomWord(words) + " " + randomWord(words)
			})
			r, err := scenarios.Parse(randomWord(words)+"/"+id+".txtar", []byte(changed))
			Expect(err).NotTo(HaveOccurred())
			Expect(r.ID).NotTo(Equal(b.ID))
			Expect(r.Title).NotTo(Equal(b.Title))
			renamed = append(renamed, r)
		}
		expectSame(allOf(first), allOf(scenarios.Run(ctx, renamed, scenarios.Options{Transcript: true, Keys: keys})))
	})

	It("runs into every finding, apart from those about the simulator, and out of it again", func() {
		got, resolved := map[diag.Code]bool{}, map[diag.Code]bool{}
		for _, r := range first {
			for _, c := range r.Cases {
				pending := map[string][]diag.Code{} // by verb and id
				for _, s := range c.Steps {
					key := s.Verb + s.ID
					if s.Finding != nil {
						got[s.Finding.Code] = true
						pending[key] = append(pending[key], s.Finding.Code)
					} else if s.Got == "ok" {
						for _, code := range pending[key] {
							resolved[code] = true
						}
					}
				}
			}
		}
		for _, e := range diag.All() {
			if e.Code == diag.NotModelled || e.Code == diag.SimulatorBug {
				continue
			}
			Expect(got[e.Code]).To(BeTrue(), "no scenario runs into %s", string(e.Code))
			switch e.Code {
			case diag.NoSuchAccount, diag.SPNTaken, diag.AdminDenied:
				// What repairs these is another step.
			default:
				Expect(resolved[e.Code]).To(BeTrue(), "no scenario repairs %s and succeeds with the same step", string(e.Code))
			}
		}
	})
}

// randomWord is a word of small letters that means nothing.
func randomWord(r *rand.Rand) string {
	word := make([]byte, 4+r.IntN(8))
	for i := range word {
		word[i] = byte('a' + r.IntN(26))
	}
	return string(word)
}

// allOf is everything that a run says, in one text.
func allOf(results []*scenarios.Result) string {
	var b strings.Builder
	for _, r := range results {
		for _, c := range r.Cases {
			fmt.Fprintf(&b, "%s %s\n%s", c.Name, c.Status, c.Transcript)
			for _, s := range c.Steps {
				fmt.Fprintf(&b, "%d %s %s", s.N, s.Got, s.Output)
			}
		}
	}
	return b.String()
}

// expectSame compares two long texts and shows the first difference only.
func expectSame(first, second string) {
	GinkgoHelper()
	a, b := strings.Split(first, "\n"), strings.Split(second, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			Fail(fmt.Sprintf("line %d differs:\n%s\n%s", i+1, a[i], b[i]))
		}
	}
	Expect(len(a)).To(Equal(len(b)))
}

// bundleTexts makes the specs about the bundles as texts.
func bundleTexts() {
	bundles, err := scenarios.Catalog()
	if err != nil {
		return // said above
	}

	It("teach: what is done, what is seen, what repairs it and what looks alike", func() {
		for _, b := range bundles {
			for _, part := range []string{"\nWhat is done: ", "\nWhat is seen: ", "\nFix: ", "\nLooks alike: "} {
				Expect(b.Lesson).To(ContainSubstring(part), b.ID)
			}
			Expect(len(b.Cases)).To(BeNumerically(">=", 2), b.ID)
			Expect(b.Area).NotTo(BeEmpty(), b.ID)
			Expect(b.Level).To(BeNumerically(">", 0), b.ID)
			Expect(b.Covers).NotTo(BeEmpty(), b.ID)
		}
	})

	It("cover every section of the guide that is modelled", func() {
		for _, s := range scenarios.Sections() {
			covered := slices.ContainsFunc(bundles, func(b *scenarios.Bundle) bool { return slices.Contains(b.Covers, s.Name) })
			Expect(covered).To(Equal(s.Modelled), s.Name)
		}
	})
}
