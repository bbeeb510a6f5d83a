package main

import (
	"github.com/spf13/cobra"

	"hawser/configs"
	"hawser/proxy/cli"
)

// newRootCommand makes hawser-server with all that is below it.
func newRootCommand(place configs.Place) *cobra.Command {
	root := &cobra.Command{
		Use:     "hawser-server",
		Short:   "The far end of Hawser, which bonds uplinks by Multipath TCP in user space",
		Version: cli.Version(),
		Example: `  hawser-server init --dir /etc/hawser --address vps.example.net
  hawser-server invite home
  hawser-server run`,
	}
	var options configs.Options
	root.PersistentFlags().StringVarP(&options.File, "config", "c", "", "configuration `FILE` (default: HAWSER_CONFIG, then server.yaml in ., $XDG_CONFIG_HOME/hawser, /etc/hawser)")
	findAdmin := func() (configs.Admin, error) { return configs.ServerAdmin(place, options) }
	root.AddCommand(
		newInitCommand(place),
		newInviteCommand(place, &options),
		newClientsCommand(place, &options),
		newRunCommand(place, &options),
		cli.NewStatusCommand("server", findAdmin),
		cli.NewHealthcheckCommand("server", findAdmin),
		newConfigCommand(place, &options),
		cli.NewVersionCommand(),
	)
	return root
}
