package main

import (
	"github.com/spf13/cobra"

	"hawser/configs"
	"hawser/proxy/cli"
)

// newInviteCommand makes "invite".
func newInviteCommand(place configs.Place, options *configs.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "invite NAME",
		Short: "Add a client and print its invite",
		Long: "Add a client to the server's list and print its invite, one hawser:// line and nothing else.\n" +
			"The invite holds the client's private key: it is a secret, and it cannot be printed again.\n" +
			"A running server follows within a second.",
		Example: `  hawser-server invite home
  hawser-server invite home | ssh laptop hawser-client join -`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			invite, err := configs.AddClient(place, *options, args[0])
			if err != nil {
				return err
			}
			return cli.Printf(c, "%s\n", invite.Encode())
		},
	}
}
