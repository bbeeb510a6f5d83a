package main

import (
	"github.com/spf13/cobra"

	"hawser/configs"
	"hawser/proxy/cli"
)

// newClientsCommand makes "clients" with what is below it; alone it lists.
func newClientsCommand(place configs.Place, options *configs.Options) *cobra.Command {
	list := newClientsListCommand(place, options)
	c := &cobra.Command{
		Use:     "clients",
		Short:   "List the clients, or revoke one",
		Example: "  hawser-server clients\n  hawser-server clients revoke home",
		Args:    cobra.NoArgs,
		RunE:    list.RunE,
	}
	c.AddCommand(list, newRevokeCommand(place, options))
	return c
}

// newClientsListCommand makes "clients list".
func newClientsListCommand(place configs.Place, options *configs.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the clients: name and public key",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			server, err := configs.LoadServer(place, *options)
			if err != nil {
				return err
			}
			for _, peer := range server.Clients {
				if err := cli.Printf(c, "%-20s %s\n", peer.Name, peer.PublicKey); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// newRevokeCommand makes "clients revoke".
func newRevokeCommand(place configs.Place, options *configs.Options) *cobra.Command {
	return &cobra.Command{
		Use:     "revoke NAME",
		Short:   "Take a client off the list; a running server ends its sessions",
		Example: "  hawser-server clients revoke home",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := configs.RevokeClient(place, *options, args[0]); err != nil {
				return err
			}
			return cli.Printf(c, "revoked %s\n", args[0])
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return configs.ClientNames(place, *options), cobra.ShellCompDirectiveNoFileComp
		},
	}
}
