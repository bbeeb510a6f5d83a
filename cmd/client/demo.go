package main

import (
	"github.com/spf13/cobra"

	"hawser/proxy/cli"
	"hawser/proxy/demo"
)

// newDemoCommand makes "demo".
func newDemoCommand() *cobra.Command {
	o := demo.Options{Version: cli.Version()}
	c := &cobra.Command{
		Use:   "demo",
		Short: "See it work on this machine: everything in one process, without privileges",
		Long: `See it work on this machine: a client, a server and two emulated uplinks of 40 and 20 Mbit/s in one process, on
127.0.0.1 alone, without privileges and without any file. Each uplink alone and the bond of both are measured both
ways, one uplink is cut in the middle of a transfer, and then all stays up until Ctrl-C: the proxy on 127.0.0.1:1080 and
the dashboard on 127.0.0.1:9090, or on other ports where these are busy.

"Carried for the bond", in JSON "bytes", is what the emulated link counted while the bond was measured, both ways.`,
		Example: `  hawser-client demo
  hawser-client demo --once --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.Out, o.Err = c.OutOrStdout(), c.ErrOrStderr()
			return demo.Run(c.Context(), o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().BoolVar(&o.Once, "once", false, "end after the table, within 60 s; the exit status is 1 when a rate is under 0.9 of what the uplinks offer, or a file is altered")
	c.Flags().BoolVar(&o.JSON, "json", false, "print the result as a JSON object and nothing else; the rest goes to standard error")
	return c
}
