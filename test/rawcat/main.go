package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// congestions are the congestion controls of a connection that stands alone and needs no other parameter.
var congestions = []string{"bbr", "cubic", "reno"}

// options are what the command line says.
type options struct {
	on, to     string
	from       string
	congestion string
	gso        bool
	rawIP      bool
	discard    bool
	stats      bool
	zeros      int64
}

func main() { os.Exit(run()) }

// run is the exit status.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)   // a second signal ends the program at once
	signal.Ignore(syscall.SIGPIPE) // a reader of standard output that has gone is an error like others: the peer is told
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "rawcat:", err)
		return 1
	}
	return 0
}

// command is the command line.
func command() *cobra.Command {
	var o options
	root := &cobra.Command{
		Use: "rawcat", Short: "A netcat over TCP in user space", Long: about, SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(*cobra.Command, []string) error { return o.check() },
		RunE: func(c *cobra.Command, _ []string) error {
			return fmt.Errorf("which command?\n%s", c.UsageString())
		},
	}
	f := root.PersistentFlags()
	f.StringVar(&o.congestion, "congestion", "cubic", "congestion control: "+strings.Join(congestions, ", "))
	f.BoolVar(&o.gso, "gso", true, "send super-segments; false: frames of the MTU")
	f.BoolVar(&o.rawIP, "rawip", false, "send IP packets by the kernel's own output, and no frames")
	f.BoolVar(&o.discard, "discard", false, "count what arrives, and do not write it to standard output")
	f.Int64Var(&o.zeros, "zeros", 0, "send so many bytes of zeros instead of standard input")
	f.BoolVar(&o.stats, "stats", false, "print a line of JSON about the connection on standard error at the end")
	listen := &cobra.Command{
		Use: "listen --on ADDR:PORT", Short: "Accept one connection", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.reported(c.Context(), o.listen) },
	}
	listen.Flags().StringVar(&o.on, "on", "", "own address and port to listen on; 0.0.0.0 is all of IPv4, [::] is all; a port below 1024 needs CAP_NET_BIND_SERVICE")
	connect := &cobra.Command{
		Use: "connect --to ADDR:PORT", Short: "Open a connection", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.reported(c.Context(), o.connect) },
	}
	connect.Flags().StringVar(&o.to, "to", "", "address and port of the peer, as 198.51.100.7:7443 or [fe80::7%eth0]:7443")
	connect.Flags().StringVar(&o.from, "from", "", "own address (default: what the system's routes say)")
	for flag, c := range map[string]*cobra.Command{"on": listen, "to": connect} {
		if err := c.MarkFlagRequired(flag); err != nil {
			panic("BUG: rawcat: " + err.Error())
		}
	}
	root.AddCommand(listen, connect)
	return root
}

// about is the help's beginning.
const about = `A netcat over TCP in user space.

Standard input goes to the peer, and its end closes that direction; what arrives
goes to standard output. The exit status is 0 only when both directions were
closed in order.

It needs CAP_NET_RAW, and CAP_NET_BIND_SERVICE to listen on a port below 1024
(sysctl net.ipv4.ip_unprivileged_port_start). It reaches other machines only: for
a conversation on one machine, put one end into a network namespace.`

// reported runs a command and prints the line of --stats at its end, whatever that is.
func (o *options) reported(ctx context.Context, command func(context.Context, *report) error) error {
	r := &report{}
	err := command(ctx, r)
	if o.stats {
		err = errors.Join(err, r.print(os.Stderr))
	}
	return err
}

// check looks at what all commands have.
func (o *options) check() error {
	if o.zeros < 0 {
		return fmt.Errorf("--zeros %d: give a number of bytes, 0 or more", o.zeros)
	}
	if !slices.Contains(congestions, o.congestion) {
		return fmt.Errorf("--congestion %q: choose one of %s", o.congestion, strings.Join(congestions, ", "))
	}
	return nil
}
