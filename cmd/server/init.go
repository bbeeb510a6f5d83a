package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"hawser/configs"
	"hawser/proxy/cli"
)

// newInitCommand makes "init".
func newInitCommand(place configs.Place) *cobra.Command {
	var dir string
	var in configs.Init
	c := &cobra.Command{
		Use:   "init --address HOST",
		Short: "Write server.yaml and server.key for a new server",
		Long:  "Write server.yaml and server.key for a new server. What exists is never overwritten.",
		Example: `  hawser-server init --address vps.example.net
  hawser-server init --dir ./server --address 198.51.100.7 --address 2001:db8::7 --allow 10.0.0.0/24`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkInitFlags(c); err != nil {
				return err
			}
			files, err := configs.InitServer(place, dir, in)
			if err != nil {
				return err
			}
			return cli.Wrote(c, files)
		},
	}
	c.Flags().StringVar(&dir, "dir", "", fmt.Sprintf("write into `DIR` (default %s)", place.DefaultDir()))
	addInitFlags(c, &in)
	return c
}

// initFlags are the names of what addInitFlags adds.
var initFlags = []string{"address", "raw-port", "plain-port", "allow"}

// checkInitFlags refuses a port of 0, which would be taken for "not given".
func checkInitFlags(c *cobra.Command) error {
	for _, name := range []string{"raw-port", "plain-port"} {
		if f := c.Flags().Lookup(name); f.Changed && f.Value.String() == "0" {
			return &cli.UsageError{Err: fmt.Errorf("--%s: 0 is not a port: give one from 1 to 65535", name)}
		}
	}
	return nil
}

// addInitFlags adds the flags that say what a new server is like, for "init" and "run --init".
func addInitFlags(c *cobra.Command, in *configs.Init) {
	c.Flags().StringSliceVar(&in.Addresses, "address", nil, "`HOST` name or address by which clients reach this server; repeat it for more (default HAWSER_PUBLIC_ADDRESSES)")
	c.Flags().Uint16Var(&in.RawPort, "raw-port", 7443, "`PORT` of the raw carrier")
	c.Flags().Uint16Var(&in.PlainPort, "plain-port", 7444, "`PORT` of the plain carrier")
	c.Flags().StringSliceVar(&in.Allow, "allow", nil, "`CIDR` that streams may go to although it is private; repeat it for more")
}
