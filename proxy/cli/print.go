package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// Printf prints a command's result to its standard output.
func Printf(c *cobra.Command, format string, args ...any) error {
	_, err := fmt.Fprintf(c.OutOrStdout(), format, args...)
	return err
}

// Wrote tells which files a command has written.
func Wrote(c *cobra.Command, files []string) error {
	for _, file := range files {
		if err := Printf(c, "wrote %s\n", file); err != nil {
			return err
		}
	}
	return nil
}
