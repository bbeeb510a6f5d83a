package cli

import (
	"github.com/spf13/cobra"
)

// NewConfigCommand makes the command "config" with "check" below it. check loads the configuration and gives the file
// that was chosen, empty for none, and warnings.
func NewConfigCommand(check func(c *cobra.Command) (file string, warnings []string, err error)) *cobra.Command {
	group := &cobra.Command{
		Use:   "config",
		Short: "Work with the configuration",
	}
	group.AddCommand(&cobra.Command{
		Use:   "check",
		Short: "Check the configuration, the environment and the key file",
		Long: "Check the configuration file, the environment and the key file, as run would read them.\n" +
			"Every fault is shown with its place and with what is allowed; the exit status is then 2.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			file, warnings, err := check(c)
			for _, w := range warnings {
				c.PrintErrf("warning: %s\n", w)
			}
			if err != nil {
				return err
			}
			if file == "" {
				file = "invite"
			}
			return Printf(c, "%s: ok\n", file)
		},
	})
	return group
}
