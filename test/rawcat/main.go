package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"hawser/cc"
)

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
		Use: "rawcat", Short: "A netcat over TCP in user space", SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(*cobra.Command, []string) error { return o.check() },
	}
	f := root.PersistentFlags()
	f.StringVar(&o.congestion, "congestion", "cubic", "congestion control: bbr, cubic or reno")
	f.BoolVar(&o.gso, "gso", true, "send super-segments; false: frames of the MTU")
	f.BoolVar(&o.rawIP, "rawip", false, "send IP packets by the kernel's own output, and no frames")
	f.BoolVar(&o.discard, "discard", false, "count what arrives, and do not write it to standard output")
	f.Int64Var(&o.zeros, "zeros", 0, "send so many bytes of zeros instead of standard input")
	f.BoolVar(&o.stats, "stats", false, "print a line of JSON about the connection on standard error at the end")
	listen := &cobra.Command{
		Use: "listen --on ADDR:PORT", Short: "Accept one connection", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.listen(c.Context()) },
	}
	listen.Flags().StringVar(&o.on, "on", "", "address and port to listen on; [::]:PORT is all addresses")
	connect := &cobra.Command{
		Use: "connect --to ADDR:PORT", Short: "Open a connection", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.connect(c.Context()) },
	}
	connect.Flags().StringVar(&o.to, "to", "", "address and port of the peer")
	connect.Flags().StringVar(&o.from, "from", "", "own address (default: what the system's routes say)")
	for flag, c := range map[string]*cobra.Command{"on": listen, "to": connect} {
		if err := c.MarkFlagRequired(flag); err != nil {
			panic("BUG: rawcat: " + err.Error())
		}
	}
	root.AddCommand(listen, connect)
	return root
}

// check looks at what all commands have.
func (o *options) check() error {
	if _, err := cc.New(o.congestion, cc.Config{MSS: 1460}); err != nil {
		return fmt.Errorf("--congestion: %s", strings.TrimPrefix(err.Error(), "cc: "))
	}
	return nil
}
