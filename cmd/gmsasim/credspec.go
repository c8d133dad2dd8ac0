package main

import (
	"github.com/spf13/cobra"
)

func (a *app) credspecCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "credspec COMMAND",
		Short:   "Write, show and convert credential specs",
		Long:    "Credential specs are the JSON documents that tell Windows which group managed service account a container has.",
		Example: newSpecExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageNear(args[0], commandNames(cmd), "no command %q of credspec", args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(a.credspecNewCommand(), a.credspecShowCommand(), a.credspecConvertCommand())
	return cmd
}
