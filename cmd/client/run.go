package main

import (
	"os"

	"github.com/spf13/cobra"

	"hawser/configs"
	"hawser/proxy/cli"
	"hawser/proxy/stack"
)

// newRunCommand makes "run".
func newRunCommand(place configs.Place, options *configs.Options) *cobra.Command {
	var uplinks, listen []string
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the local proxy",
		Long:  `Run the local proxy until it is told to stop; streams then have some seconds to finish.`,
		Example: `  hawser-client run
  hawser-client run --invite hawser://… --uplink eth0 --uplink wwan0    nothing is written`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o := *options
			o.Stdin = c.InOrStdin()
			if len(uplinks) > 0 {
				o.Flags = append(o.Flags, configs.Flag{Name: "--uplink", Key: "uplinks", Values: uplinks})
			}
			if len(listen) > 0 {
				o.Flags = append(o.Flags, configs.Flag{Name: "--listen", Key: "listen", Values: listen})
			}
			return runProxy(c, place, o)
		},
	}
	c.Flags().StringVar(&options.Invite, "invite", "", "`INVITE` to use in place of a configuration file, - for standard input")
	c.Flags().StringSliceVar(&uplinks, "uplink", nil, "interface or source address to use as an `UPLINK`; repeat it or separate by commas")
	c.Flags().StringSliceVar(&listen, "listen", nil, "`ADDR`ess and port of the local proxy; repeat it or separate by commas")
	return c
}

func runProxy(c *cobra.Command, place configs.Place, o configs.Options) error {
	cfg, err := configs.LoadClient(place, o)
	if err != nil {
		return err
	}
	log := stack.NewLogger(cfg.Log, os.Stderr)
	stack.LogStart(log, cli.Version(), cfg.File, cfg.Warnings)
	client, err := stack.NewClient(cfg, stack.ClientOptions{Version: cli.Version(), Log: log})
	if err != nil {
		return err
	}
	return client.Run(c.Context())
}
