package main

import (
	"github.com/spf13/cobra"

	"hawser/configs"
	"hawser/proxy/cli"
)

// newConfigCommand makes "config check".
func newConfigCommand(place configs.Place, options *configs.Options) *cobra.Command {
	return cli.NewConfigCommand(func(*cobra.Command) (string, []string, error) {
		return configs.CheckClient(place, *options)
	})
}
