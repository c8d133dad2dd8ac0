package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const rootHelp = `A pretend Active Directory domain with group managed service accounts, on this computer alone: directory, Kerberos,
key distribution service and DNS, and the hosts that read managed passwords.`

// helpTemplate puts examples first: they are what people look for.
const helpTemplate = `{{with .Short}}{{.}}

{{end}}{{if .Example}}Examples:
{{.Example}}

{{end}}{{with .Long}}{{.}}

{{end}}Usage:
{{if .Runnable}}  {{.UseLine}}
{{end}}{{if .HasAvailableSubCommands}}  {{.CommandPath}} COMMAND

Commands:
{{range .Commands}}{{if .IsAvailableCommand}}  {{rpad .Name .NamePadding}} {{.Short}}
{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}
Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableInheritedFlags}}
Flags of every command:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}`

// run runs the command and gives its exit status.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	// Until flags are read, errors follow what the arguments seem to say.
	for _, arg := range args {
		if arg == "--" {
			break
		}
		a.json = a.json || arg == "--json"
	}
	a.talk = newStyle(a.err, a.plain)
	if cmd, err := root.ExecuteContextC(ctx); err != nil {
		if e, ok := errors.AsType[*usageError](err); ok && e.help == "" {
			e.help = cmd.CommandPath() + " --help"
		}
		return a.fail(err)
	}
	if a.out.failed != nil {
		return a.fail(&exitError{exitInternal, fmt.Errorf("write the answer: %w", a.out.failed)})
	}
	return exitOK
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "gmsasim",
		Short:         "A pretend Active Directory domain with group managed service accounts",
		Long:          rootHelp,
		Example:       "  gmsasim run\n  gmsasim explain GMSA102\n  gmsasim up -- sh -c 'echo $GMSASIM_LDAP_URL'",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          nil,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageNear(args[0], commandNames(cmd), "no command %q", args[0])
			}
			return cmd.Help()
		},
		PersistentPreRun: func(*cobra.Command, []string) { a.style, a.talk = newStyle(a.out, a.plain), newStyle(a.err, a.plain) },
	}
	root.Args = cobra.ArbitraryArgs
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(helpTemplate)
	root.PersistentFlags().BoolVar(&a.json, "json", false, "answer in JSON")
	root.PersistentFlags().BoolVar(&a.plain, "plain", false, "no colour, no marks outside ASCII")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(a.runCommand(), a.doctorCommand(), a.checkCommand(), a.credspecCommand(), a.sweepCommand(), a.upCommand(), a.listCommand(), a.explainCommand(), a.clockCommand(), a.eventsCommand(), a.versionCommand())
	root.SetHelpCommand(a.helpCommand(root))
	return root
}

func commandNames(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// flagError turns an error of the flag parser into one with the nearest flag.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usage("%v", err)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	name := "--" + unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		name = "-" + unknown.GetSpecifiedName()
	}
	return usageNear(name, names, "no flag %s of %s", name, cmd.CommandPath())
}

func (a *app) helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about a command",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				name := strings.Join(args, " ")
				return usageNear(name, commandNames(root), "no command %q", name).shownBy("gmsasim --help")
			}
			return cmd.Help()
		},
	}
}

// noArguments refuses arguments of a command that takes none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("%s takes no argument %q", cmd.CommandPath(), args[0])
	}
	return nil
}
