package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"hawser/configs"
	"hawser/proxy/cli"
	"hawser/proxy/stack"
)

// newRunCommand makes "run".
func newRunCommand(place configs.Place, options *configs.Options) *cobra.Command {
	var create bool
	var in configs.Init
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the server",
		Long: `Run the server until it is told to stop; streams then have some seconds to finish. It follows
changes of the list of clients in its configuration.`,
		Example: `  hawser-server run
  hawser-server run --init --address vps.example.net    create what is missing first`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkInitFlags(c); err != nil {
				return err
			}
			if create {
				files, err := configs.EnsureServer(place, *options, in)
				if err != nil {
					return err
				}
				if err := cli.Wrote(c, files); err != nil {
					return err
				}
			} else {
				for _, name := range initFlags {
					if c.Flags().Changed(name) {
						return &cli.UsageError{Err: fmt.Errorf("--%s counts only together with --init: it says what a new configuration is like", name)}
					}
				}
			}
			return serve(c, place, *options)
		},
	}
	c.Flags().BoolVar(&create, "init", false, "create the configuration and the key if they are missing, never overwrite")
	addInitFlags(c, &in)
	return c
}

func serve(c *cobra.Command, place configs.Place, options configs.Options) error {
	cfg, err := configs.LoadServer(place, options)
	if err != nil {
		return err
	}
	log := stack.NewLogger(cfg.Log, os.Stderr)
	stack.LogStart(log, cli.Version(), cfg.File, cfg.Warnings)
	s, err := stack.NewServer(cfg, stack.ServerOptions{Version: cli.Version(), Log: log})
	if err != nil {
		return err
	}
	go configs.WatchServer(c.Context(), place, options, cfg.File,
		func(fresh *configs.Server) { s.SetClients(fresh.Clients) },
		func(err error) {
			log.Error().Err(err).Msg("the configuration has changed and is not usable: the last good list of clients stays in force")
		})
	return s.Run(c.Context())
}
