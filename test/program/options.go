package program

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
)

// Host is where a process runs and how its ports are reached; *netlab.Host is one.
type Host interface {
	// Do runs f on a thread of the host; a process that f starts is on the host.
	Do(f func() error) error
	Dial(ctx context.Context, network, address string) (net.Conn, error)
}

// Options says how to run a program. The zero value runs it here, in an empty environment but for PATH and the like.
type Options struct {
	Args  []string        // behind those of the function that takes the options
	Env   []string        // NAME=value; overrides what the function sets, and the file
	Dir   string          // working directory; empty: this process's
	Stdin string          // standard input
	Host  Host            // nil: this machine
	Set   func(*exec.Cmd) // changes the command before it starts, such as its user; nil: nothing to change
}

// with gives options with arguments before and environment below the caller's.
func (o Options) with(args, env []string) Options {
	o.Args = append(append([]string(nil), args...), o.Args...)
	o.Env = append(append([]string(nil), env...), o.Env...)
	return o
}

// prepare gives the command its environment and place.
func (o Options) prepare(cmd *exec.Cmd) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "HAWSER_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, o.Env...)
	cmd.Dir = o.Dir
	cmd.Stdin = strings.NewReader(o.Stdin)
	if o.Set != nil {
		o.Set(cmd)
	}
}

// start starts the command where it belongs.
func (o Options) start(cmd *exec.Cmd) error {
	if o.Host == nil {
		return cmd.Start()
	}
	return o.Host.Do(cmd.Start)
}

// dial connects to a port of the host.
func (o Options) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if o.Host == nil {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return o.Host.Dial(ctx, network, address)
}
