package main

import (
	"github.com/spf13/cobra"

	"hawser/configs"
	"hawser/proxy/cli"
)

// newHealthcheckCommand makes "healthcheck".
func newHealthcheckCommand(place configs.Place, options *configs.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the running client whether it does its work",
		Long: `Ask the client that runs on this machine whether it does its work, within 2 s. The exit status is 0 or 1, as
containers want it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			program, err := running(place, *options)
			if err == nil {
				err = program.Health(c.Context())
			}
			if err != nil {
				return &cli.ExitError{Status: cli.StatusFailed, Err: err}
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
}
