package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Run executes the command that the process's arguments name and gives the exit status. Commands see SIGINT and
// SIGTERM as the end of their context; a second signal ends the process at once.
func Run(root *cobra.Command) int {
	limitProcessors()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Execute(ctx, root)
}

// Execute runs the command that root's arguments name, prints its error to root's error stream, and gives the exit
// status.
func Execute(ctx context.Context, root *cobra.Command) int {
	root.SilenceErrors, root.SilenceUsage = true, true
	started := false
	each(root, func(c *cobra.Command) {
		if c.RunE == nil {
			c.RunE = needCommand
			c.Args = cobra.ArbitraryArgs
			return
		}
		run := c.RunE
		c.RunE = func(c *cobra.Command, args []string) error {
			started = true
			return run(c, args)
		}
	})
	c, err := root.ExecuteContextC(ctx)
	if err != nil && !started {
		err = &UsageError{Err: err}
	}
	report(c, err)
	return ExitStatus(err)
}

// each calls fn for a command and all below it.
func each(c *cobra.Command, fn func(*cobra.Command)) {
	fn(c)
	for _, sub := range c.Commands() {
		each(sub, fn)
	}
}

// needCommand is what a command does that only has others below it.
func needCommand(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		text := fmt.Sprintf("unknown command %q", args[0])
		c.SuggestionsMinimumDistance = 2
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			text += fmt.Sprintf(": did you mean %q?", near[0])
		}
		return errors.New(text)
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return fmt.Errorf("a command is missing: use one of %s", strings.Join(names, ", "))
}

// invite matches invites, which are secrets: what cobra says of a stray argument would show one.
var invite = regexp.MustCompile(`hawser://[\w-]+`)

// report prints an error, each line of it behind the program's name, and after wrong usage where help is.
func report(c *cobra.Command, err error) {
	if err == nil || err.Error() == "" {
		return
	}
	for line := range strings.Lines(err.Error()) {
		c.PrintErrf("%s: %s\n", c.Root().Name(), invite.ReplaceAllString(strings.TrimRight(line, "\n"), "hawser://[hidden]"))
	}
	var usage *UsageError
	if errors.As(err, &usage) {
		c.PrintErrf("see: %s --help\n", c.CommandPath())
	}
}
