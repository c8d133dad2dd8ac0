package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/gmsasim/gmsasim/cmd/gmsasim/internal/control"
	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
)

// upOptions are the flags of up.
type upOptions struct {
	config, scenario, caseName string
	listen                     string
	standardPorts              bool
	time                       string
	seed                       uint64
	printEnv                   bool
}

// upReport is the form of a running domain in JSON.
type upReport struct {
	Schema      string            `json:"schema"`
	Environment map[string]string `json:"environment"`
	State       simulator.State   `json:"state"`
}

func (a *app) upCommand() *cobra.Command {
	var o upOptions
	cmd := &cobra.Command{
		Use:   "up [--config FILE | --scenario ID] [-- COMMAND ARGS...]",
		Short: "Run a domain that real clients can talk to",
		Long: `Without a configuration the domain is contoso.com of the guide. Domain time starts now and runs with the machine's clock, unless the
configuration says otherwise; gmsasim clock moves it.

Without a command, up prints how to reach the domain and runs until it is interrupted. With one, it runs the command in the domain's
environment, passes signals on, and ends with the command's exit status.`,
		Example: "  gmsasim up -- sh -c 'ldapsearch -x -H $GMSASIM_LDAP_URL -s base -b \"\"'\n" +
			"  gmsasim up --config domain.yaml --print-env >domain.env\n  gmsasim up --scenario spn-duplicate",
		RunE: func(cmd *cobra.Command, args []string) error {
			var command []string
			if at := cmd.ArgsLenAtDash(); at >= 0 {
				args, command = args[:at], args[at:]
				if len(command) == 0 {
					return usage("no command after --")
				}
			}
			if len(args) > 0 {
				return usage("up takes no argument %q; a command comes after --", args[0])
			}
			return a.up(cmd.Context(), o, command)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "file with the domain, in YAML, or in JSON when it ends in .json")
	f.StringVar(&o.scenario, "scenario", "", "take the domain of a scenario, by its id or file")
	f.StringVar(&o.caseName, "case", "", "case of the scenario (default: the first)")
	f.StringVar(&o.listen, "listen", "", "IP address to listen on (default 127.0.0.1)")
	f.BoolVar(&o.standardPorts, "standard-ports", false, "take the standard ports 53, 88, 389, 464, 636 and 3268")
	f.StringVar(&o.time, "time", "", "clock of outside clients: machine or domain (default machine)")
	f.Uint64Var(&o.seed, "seed", 0, "seed of SIDs, GUIDs and keys (default 1)")
	f.BoolVar(&o.printEnv, "print-env", false, "print the environment as export lines for a shell")
	return cmd
}

// upConfig reads what the flags name.
func (o upOptions) upConfig() (simulator.Config, error) {
	var cfg simulator.Config
	says := func(string) bool { return false }
	switch {
	case o.config != "" && o.scenario != "":
		return cfg, usage("--config and --scenario exclude each other")
	case o.config != "":
		c, err := scenarios.LoadConfig(o.config)
		if err != nil {
			return cfg, err
		}
		cfg, says = c.Config, c.Says
	case o.scenario != "":
		bundles, err := scenarios.Select(o.scenario)
		if err != nil {
			return cfg, err
		}
		if len(bundles) != 1 {
			return cfg, usage("--scenario %s: %d scenarios, one domain can run", o.scenario, len(bundles))
		}
		c, err := caseOf(bundles[0], o.caseName)
		if err != nil {
			return cfg, err
		}
		cfg = c.Config()
		said := !cfg.Start.IsZero()
		says = func(key string) bool { return said && key == "start" }
	default:
		cfg = simulator.Contoso()
	}
	if o.caseName != "" && o.scenario == "" {
		return cfg, usage("--case belongs to --scenario")
	}
	if !says("followRealTime") {
		cfg.FollowRealTime = true
	}
	if o.listen != "" {
		cfg.Listen.Address = o.listen
	}
	cfg.Listen.StandardPorts = cfg.Listen.StandardPorts || o.standardPorts
	if o.time != "" {
		cfg.WireTime = o.time
	}
	if o.seed != 0 {
		cfg.Seed = o.seed
	}
	return cfg, flagFault(cfg.Validate())
}

// flagFault names the flag of a value that is wrong; the file was checked when it was read.
func flagFault(err error) error {
	if err == nil {
		return nil
	}
	if c, ok := errors.AsType[*simulator.ConfigError](err); ok {
		names := map[string]string{"listen.address": "--listen", "wireTime": "--time"}
		if flag := names[c.Path]; flag != "" {
			return &usageError{problem: flag + ": " + c.Problem, nearest: c.Nearest}
		}
	}
	return usage("%v", err)
}

// listenFault tells what in the command line leads to an address or port that cannot be had.
func listenFault(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return usage("%v; without --standard-ports free ports are taken", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return usage("%v; --listen takes an address of this computer", err)
	case errors.Is(err, syscall.EACCES):
		return usage("%v; --standard-ports needs the right to ports below 1024", err)
	}
	return err
}

func caseOf(b *scenarios.Bundle, name string) (*scenarios.Case, error) {
	if name == "" {
		return b.Cases[0], nil
	}
	var names []string
	for _, c := range b.Cases {
		if c.Matches(name) {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return nil, usageNear(name, names, "no case %q of %s", name, b.ID).shownBy("gmsasim explain " + b.ID)
}

// settleMemory gives back what the start of a large domain took, and lets the collector keep half of its usual headroom from then on:
// nearly all of such a process is the directory, which stays. Small domains are left alone, where collections would only come
// more often.
func settleMemory() {
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapAlloc < 16<<20 {
		return
	}
	debug.FreeOSMemory()
	debug.SetGCPercent(50)
}

func (a *app) up(ctx context.Context, o upOptions, command []string) (err error) {
	if o.printEnv && len(command) > 0 {
		return usage("--print-env is for a shell outside; a command after -- has the environment already")
	}
	cfg, err := o.upConfig()
	if err != nil {
		return err
	}
	// From here on an interrupt closes the domain, also while it starts.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	d, err := simulator.Start(context.WithoutCancel(ctx), cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if os.Getenv("GOGC") == "" {
		settleMemory()
	}
	env, err := d.Env("")
	if err != nil {
		return listenFault(err)
	}
	c, err := control.Start(d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	env = append(env, control.URLVariable+"="+c.URL(), control.TokenVariable+"="+c.Token())
	if len(command) > 0 {
		stop() // the command gets the signals
		return a.runInside(command, env)
	}
	a.announce(d, env, o.printEnv)
	<-ctx.Done()
	return nil
}

// announce says how to reach the domain.
func (a *app) announce(d *simulator.Domain, env []string, export bool) {
	switch {
	case a.json:
		r := upReport{Schema: "gmsasim.up/1", Environment: map[string]string{}, State: d.State()}
		for _, v := range env {
			name, value, _ := strings.Cut(v, "=")
			r.Environment[name] = value
		}
		a.printJSON(r)
		return
	case export:
		var b strings.Builder
		for _, v := range env {
			name, value, _ := strings.Cut(v, "=")
			fmt.Fprintf(&b, "export %s=%s\n", name, shellQuoted(value))
		}
		fmt.Fprint(a.out, b.String())
		return
	}
	fmt.Fprintf(a.out, "%s  domain time %s\n\n", a.style.bold(d.DNSName()), d.Clock.Now().Format(time.RFC3339))
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		fmt.Fprintf(a.out, "%s %s\n", pad(name, 22), value)
	}
	fmt.Fprintln(a.out, "\nThe domain runs until it is interrupted. In another shell, with these variables set:")
	a.next("gmsasim clock, gmsasim events --follow")
}
