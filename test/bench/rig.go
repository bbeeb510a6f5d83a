//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"hawser/test/netlab"
	"hawser/test/rig"
)

// programs gives the directory of the built programs; empty: they are built into a temporary one.
func programs(ctx context.Context, dir string) (bin string, cleanup func(), err error) {
	if dir != "" {
		dir, err = filepath.Abs(dir)
		return dir, func() {}, err
	}
	if dir, err = os.MkdirTemp("", "hawser-bench-"); err != nil {
		return "", nil, err
	}
	cleanup = func() { _ = os.RemoveAll(dir) }
	for _, name := range []string{"client", "server"} {
		build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "hawser-"+name), "hawser/cmd/"+name)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			cleanup()
			return "", nil, fmt.Errorf("build the programs: %w", err)
		}
	}
	return dir, cleanup, nil
}

// bond is a rig and the traffic's target on the server's host.
type bond struct {
	*rig.Rig
	sink *sink
}

// newBond starts both programs with their default configuration.
func newBond(ctx context.Context, bin string, links []netlab.LinkConfig) (*bond, error) {
	lab, err := netlab.Open()
	if err != nil {
		return nil, err
	}
	r, err := rig.Start(ctx, lab, rig.Options{Bin: bin, Links: links})
	if err != nil {
		return nil, err
	}
	ln, err := r.Home.Server.Listen("tcp", netip.AddrPortFrom(r.Addr, 9000).String())
	if err != nil {
		r.Close()
		return nil, err
	}
	return &bond{r, serveSink(ln)}, nil
}

func (b *bond) close() {
	_ = b.sink.Close()
	b.Close()
}

// dial opens a connection to the sink through the proxy pair.
func (b *bond) dial(ctx context.Context) (net.Conn, error) {
	return b.Dial(ctx, b.sink.Addr().String())
}

// direct opens a connection to the sink by kernel TCP over one uplink.
func (r *bond) direct(ctx context.Context, uplink int) (conn net.Conn, err error) {
	local := r.Home.Uplinks[uplink].Addr(netlab.SideA)
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))}
	d.SetMultipathTCP(false)
	err = r.Home.Client.Do(func() error {
		conn, err = d.DialContext(ctx, "tcp", r.sink.Addr().String())
		return err
	})
	return conn, err
}

// rss is the resident memory of a program, bytes.
func rss(c *netlab.Cmd) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kb); n == 1 {
			return kb << 10, nil
		}
	}
	return 0, io.ErrUnexpectedEOF
}
