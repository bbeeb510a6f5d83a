package main

import (
	"github.com/spf13/cobra"

	"hawser/configs"
	"hawser/proxy/admin/client"
	"hawser/proxy/cli"
)

// newStatusCommand makes "status".
func newStatusCommand(place configs.Place, options *configs.Options) *cobra.Command {
	var o client.Options
	c := &cobra.Command{
		Use:   "status",
		Short: "Show uplinks, sessions and subflows of the running server",
		Long: `Show uplinks, sessions and subflows of the server that runs on this machine, where its key admin says.
The exit status is 0 when all is well, 1 when something is degraded, 2 when the server is not reachable.`,
		Example: `  hawser-server status --watch
  hawser-server status --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			program, err := running(place, *options)
			if err != nil {
				return &cli.ExitError{Status: int(client.ExitUnreachable), Err: err}
			}
			if exit := program.Show(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr()); exit != client.ExitHealthy {
				return &cli.ExitError{Status: int(exit)}
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().BoolVar(&o.Watch, "watch", false, "show it again every second, until interrupted")
	c.Flags().BoolVar(&o.JSON, "json", false, "print the answer of the status API, one line each time")
	return c
}

// running makes what asks the server that runs on this machine.
func running(place configs.Place, options configs.Options) (*client.Client, error) {
	a, err := configs.ServerAdmin(place, options)
	if err != nil {
		return nil, err
	}
	return client.New(a.Address, a.Token.Reveal())
}
