package main

import (
	"github.com/spf13/cobra"

	"hawser/configs"
	"hawser/proxy/cli"
)

// newRootCommand makes hawser-client with all that is below it.
func newRootCommand(place configs.Place) *cobra.Command {
	root := &cobra.Command{
		Use:     "hawser-client",
		Short:   "A local SOCKS5 and HTTP proxy that bonds uplinks by Multipath TCP in user space",
		Version: cli.Version(),
		Example: `  hawser-client join hawser://…
  hawser-client run
  curl -x socks5h://127.0.0.1:1080 https://example.net/`,
	}
	var options configs.Options
	root.PersistentFlags().StringVarP(&options.File, "config", "c", "", "configuration `FILE` (default: HAWSER_CONFIG, then client.yaml in ., $XDG_CONFIG_HOME/hawser, /etc/hawser)")
	findAdmin := func() (configs.Admin, error) { return configs.ClientAdmin(place, options) }
	root.AddCommand(
		newJoinCommand(place),
		newRunCommand(place, &options),
		newDemoCommand(),
		cli.NewStatusCommand("client", findAdmin),
		cli.NewHealthcheckCommand("client", findAdmin),
		newConfigCommand(place, &options),
		cli.NewVersionCommand(),
	)
	return root
}
