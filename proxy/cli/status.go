package cli

import (
	"github.com/spf13/cobra"

	"hawser/configs"
	"hawser/proxy/admin/client"
)

// NewStatusCommand makes "status" for the program called role, "client" or "server"; find tells where its admin
// listener is.
func NewStatusCommand(role string, find func() (configs.Admin, error)) *cobra.Command {
	var o client.Options
	c := &cobra.Command{
		Use:   "status",
		Short: "Show uplinks, sessions and subflows of the running " + role,
		Long: "Show uplinks, sessions and subflows of the " + role + ` that runs on this machine, where its key admin says.
The exit status is 0 when all is well, 1 when something is degraded, 2 when the ` + role + " is not reachable.",
		Example: "  hawser-" + role + " status --watch\n  hawser-" + role + " status --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			program, err := running(find)
			if err != nil {
				return &ExitError{Status: int(client.ExitUnreachable), Err: err}
			}
			if exit := program.Show(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr()); exit != client.ExitHealthy {
				return &ExitError{Status: int(exit)}
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().BoolVar(&o.Watch, "watch", false, "show it again every second, until interrupted")
	c.Flags().BoolVar(&o.JSON, "json", false, "print the answer of the status API, one line each time")
	return c
}

// NewHealthcheckCommand makes "healthcheck" for the program called role, "client" or "server"; find tells where its
// admin listener is.
func NewHealthcheckCommand(role string, find func() (configs.Admin, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the running " + role + " whether it does its work",
		Long: "Ask the " + role + ` that runs on this machine whether it does its work, within 2 s. The exit status is 0 or 1, as
containers want it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			program, err := running(find)
			if err == nil {
				err = program.Health(c.Context())
			}
			if err != nil {
				return &ExitError{Status: StatusFailed, Err: err}
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
}

// running makes what asks the program that runs on this machine.
func running(find func() (configs.Admin, error)) (*client.Client, error) {
	a, err := find()
	if err != nil {
		return nil, err
	}
	return client.New(a.Address, a.Token.Reveal())
}
