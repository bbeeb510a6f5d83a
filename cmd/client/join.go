package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"hawser/configs"
	"hawser/proxy/cli"
)

// newJoinCommand makes "join".
func newJoinCommand(place configs.Place) *cobra.Command {
	var join configs.Join
	c := &cobra.Command{
		Use:   "join [INVITE|-]",
		Short: "Turn an invite into client.yaml and client.key",
		Long: "Turn an invite into client.yaml and client.key, offline. The invite is a secret; it is read from the\n" +
			"argument, from standard input (-), from HAWSER_INVITE, or from the file that HAWSER_INVITE_FILE names\n" +
			"(preferred: arguments show in process lists).",
		Example: `  hawser-client join -
  HAWSER_INVITE_FILE=invite.txt hawser-client join --uplink eth0 --uplink wwan0`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				join.Invite = args[0]
			}
			join.Stdin = c.InOrStdin()
			files, err := configs.JoinClient(place, join)
			if err != nil {
				return err
			}
			return cli.Wrote(c, files)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().StringVar(&join.Dir, "dir", "", fmt.Sprintf("write into `DIR` (default %s)", place.DefaultDir()))
	c.Flags().StringSliceVar(&join.Uplinks, "uplink", nil, "use this `IFACE` or source address; repeat it for more (default: all with a default route)")
	c.Flags().StringSliceVar(&join.Listen, "listen", nil, "`ADDR` of the local proxy; repeat it for more (default 127.0.0.1:1080)")
	c.Flags().BoolVar(&join.Force, "force", false, "overwrite what exists")
	return c
}
