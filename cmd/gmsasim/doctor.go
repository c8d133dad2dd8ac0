package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// doctorReport is the form of a diagnosis in JSON.
type doctorReport struct {
	*doctor.Report
	Exit int `json:"exit"`
}

func (a *app) doctorCommand() *cobra.Command {
	var chosen, symptom string
	var of doctor.Subject
	var papers caseFlags
	cmd := &cobra.Command{
		Use:   "doctor FILE…|SCENARIO | --ldif EXPORT [WORLD] | --symptom TEXT",
		Short: "Say why a setup fails, and prove what repairs it",
		Long: `The scenario is run until a step ends in a finding. Every help of the finding is carried out in a replay, and the step is tried again: what
leads to success is printed as a fix. Where another cause appears behind the first, the search goes on with it.
Without --case, the first case that complains is taken. A file may also be a world (schema gmsasim.world/1): a domain with containers and
what they are used for. Then the doctor makes the checks itself, and goes on through all of them.

Files may also be what users have: credential specs, scripts with docker run, compose files, Kubernetes manifests, ECS task definitions, Service
Fabric manifests, Nomad jobs. They are started as the tools that read them would, in a healthy domain that is as they say, or in that of a world
file or an export.

With --ldif, the domain is that of a real directory, as an export by ldifde or ldapsearch has it. What exports do not hold is in a world file,
in what docker inspect prints (--inspect) and in a credential spec (--credspec). Without containers, S1 to S4 are checked for each computer that
should read a password, or for --host and --account.

With --symptom, nothing has to be described: the causes are listed under which some scenario shows this text, or this error number in whichever
form, and the commands that tell them apart, those first that are expected to tell most.

Exit status: 0 nothing wrong, 1 findings, 2 wrong use, 3 the simulator failed, 4 not modelled.`,
		Example: "  gmsasim doctor kds-key-too-young\n  gmsasim doctor channel-shared-hostname --case '*2019*'\n  gmsasim doctor --symptom 1311\n  gmsasim doctor membership-newer-than-ticket --json\n  gmsasim doctor compose.yaml contoso_webapp01.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if cmd.Flags().Changed("symptom") {
				if len(args) > 0 || chosen != "" || of != (doctor.Subject{}) || papers.given() {
					return usage("--symptom stands alone: it is looked up in all scenarios")
				}
				return a.differential(symptom)
			}
			if papers.setup = setupFiles(args); papers.given() {
				if chosen != "" {
					return usage("--case is for scenarios")
				}
				return a.realCase(ctx, &papers, args, of)
			}
			if len(args) != 1 {
				return usage("doctor takes one file or scenario, or --symptom; got %d", len(args))
			}
			return a.diagnose(ctx, args[0], chosen, of)
		},
	}
	f := cmd.Flags()
	f.StringVar(&chosen, "case", "", "diagnose the first case with this name; * stands for any text")
	f.StringVar(&symptom, "symptom", "", "list the causes that show this text or number, and what tells them apart")
	papers.add(f)
	f.StringVar(&of.Host, "host", "", "host whose chain is shown (default: the complaint's)")
	f.BoolVar(&a.sarif, "sarif", false, "print the causes as SARIF 2.1.0, for tools that show findings beside files")
	f.StringVar(&of.Account, "account", "", "service account whose chain is shown (default: the complaint's)")
	return cmd
}

func (a *app) diagnose(ctx context.Context, name, chosen string, of doctor.Subject) error {
	report, err := a.examine(ctx, name, chosen, of)
	if err != nil {
		return err
	}
	exit := doctorExit(report)
	switch {
	case a.sarif:
		if err := a.printSARIF(report); err != nil {
			return err
		}
	case a.json:
		a.printJSON(doctorReport{report, exit})
	default:
		a.printDiagnosis(report)
	}
	if exit != exitOK {
		return &exitError{status: exit}
	}
	return nil
}

// printDiagnosis prints a report as people read it.
func (a *app) printDiagnosis(report *doctor.Report) {
	fmt.Fprintf(a.out, "%s\n", report.Text(a.doctorStyle()))
	a.printOutcome(report)
}

// printOutcome prints the last lines of a report.
func (a *app) printOutcome(report *doctor.Report) {
	fmt.Fprintln(a.out, report.Summary())
	if len(report.Causes) > 0 {
		a.next("gmsasim explain %s", string(report.Causes[0].Finding.Code))
	}
}

// differential answers a symptom.
func (a *app) differential(symptom string) error {
	if strings.TrimSpace(symptom) == "" {
		return usage("--symptom is empty; give it what is printed, for instance 1311 or 'Key does not exist'")
	}
	d, err := doctor.KnownSymptom(symptom)
	if err != nil {
		return err
	}
	exit := exitOK
	if len(d.Fitting) == 0 {
		exit = exitUnexpected
	}
	if a.json {
		a.printJSON(struct {
			*doctor.Differential
			Exit int `json:"exit"`
		}{d, exit})
	} else {
		fmt.Fprint(a.out, d.Text())
		if exit == exitOK {
			a.next("gmsasim explain %s", string(d.Fitting[0].Code))
		} else {
			a.next("gmsasim list findings")
		}
	}
	if exit != exitOK {
		return &exitError{status: exit}
	}
	return nil
}

// examine diagnoses a world, or a case of a scenario.
func (a *app) examine(ctx context.Context, name, chosen string, of doctor.Subject) (*doctor.Report, error) {
	if data, ok := readWorld(name); ok {
		if chosen != "" || of != (doctor.Subject{}) {
			return nil, usage("--case, --host and --account are for scenarios; %s is a world, and all of it is checked", name)
		}
		w, err := doctor.ParseWorld(name, data)
		if err != nil {
			return nil, err
		}
		return doctor.DiagnoseWorld(ctx, name, w, doctor.Options{})
	}
	bundles, err := scenarios.Select(name)
	if err != nil {
		return nil, err
	}
	if len(bundles) != 1 {
		return nil, usage("%q chooses %s; the doctor takes one", name, count(len(bundles), "scenario")).(*usageError).shownBy("gmsasim list")
	}
	if err := casesExist(bundles, chosen); err != nil {
		return nil, err
	}
	return firstComplaint(ctx, bundles[0], chosen, of)
}

// readWorld reads a file that is a world; ok is false for all else.
func readWorld(name string) (data []byte, ok bool) {
	data, err := head(name)
	return data, err == nil && doctor.IsWorld(data)
}

// head is a file, or the first MiB and a byte of it: what is longer is refused by the readers.
func head(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<20+1))
}

// firstComplaint diagnoses the chosen cases until one complains.
func firstComplaint(ctx context.Context, b *scenarios.Bundle, chosen string, of doctor.Subject) (report *doctor.Report, err error) {
	o := doctor.Options{Keys: simulator.NewKeys()}
	var patient *scenarios.Case
	for _, c := range b.Cases {
		if !c.Matches(chosen) {
			continue
		}
		patient = c
		if report, err = doctor.Diagnose(ctx, c, o); err != nil {
			return nil, err
		}
		if report.Outcome != doctor.Healthy {
			break
		}
	}
	report.Chain, err = doctor.Look(ctx, patient, o, of)
	if e, ok := errors.AsType[*doctor.UnknownError](err); ok {
		return nil, &usageError{problem: fmt.Sprintf("no %s %q in the domain", e.Kind, e.Name), nearest: e.Nearest}
	}
	return report, err
}

// doctorStyle is how a report looks on this terminal.
func (a *app) doctorStyle() doctor.Style {
	if a.style.ascii {
		return doctor.Plain
	}
	return doctor.Style{Faint: a.style.faint, Marks: map[doctor.Mark]string{
		doctor.Works: a.style.mark(true), doctor.Fails: a.style.mark(false), doctor.NotReached: a.style.faint("–"), doctor.NotChecked: a.style.faint("·")}}
}

func doctorExit(r *doctor.Report) int {
	switch {
	case r.Outcome == doctor.Healthy:
		return exitOK
	case r.Causes[0].Finding.Code == diag.SimulatorBug:
		return exitInternal
	case r.Causes[0].Finding.Code == diag.NotModelled:
		return exitNotModelled
	}
	return exitUnexpected
}
