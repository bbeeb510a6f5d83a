//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"hawser/test/netlab"
	"hawser/test/netlab/kmptcp"
	"hawser/test/netlab/profile"
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
	if err := os.Chmod(dir, 0o755); err != nil { // for the user of -user
		cleanup()
		return "", nil, err
	}
	for program, source := range map[string]string{
		"hawser-client": "hawser/cmd/client", "hawser-server": "hawser/cmd/server", "rawcat": "hawser/test/rawcat",
	} {
		build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, program), source)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			cleanup()
			return "", nil, fmt.Errorf("build the programs: %w", err)
		}
	}
	return dir, cleanup, nil
}

// bond is a rig, and targets of traffic on the server's host.
type bond struct {
	*rig.Rig
	profile   profile.Profile // of its links; without any for links of other kinds
	sink      *sink
	kernelTCP string // address of the sink that answers kernel MPTCP
}

// newBond starts both programs with their default configuration, but for the congestion control and the user of this
// run.
func (b *bench) newBond(ctx context.Context, links []netlab.LinkConfig) (*bond, error) {
	lab, err := netlab.Open()
	if err != nil {
		return nil, err
	}
	r, err := rig.Start(ctx, lab, rig.Options{
		Bin: b.bin, Links: links, User: b.user, Env: []string{"HAWSER_CONGESTION=" + b.congestion},
	})
	if err != nil {
		return nil, err
	}
	k := &bond{Rig: r}
	if err := k.open(b.congestion); err != nil {
		r.Close()
		return nil, err
	}
	return k, nil
}

// newProfile is newBond on the links of a profile.
func (b *bench) newProfile(ctx context.Context, p profile.Profile) (*bond, error) {
	links := netlab.Uplinks(p)
	for i := range links {
		links[i].Seed = uint64(i + 1)
	}
	k, err := b.newBond(ctx, links)
	if err != nil {
		return nil, err
	}
	k.profile = p
	return k, nil
}

// open sets the kernels of both ends up for the references, and starts the targets.
func (b *bond) open(congestion string) error {
	for _, h := range []*netlab.Host{b.Home.Client, b.Home.Server} {
		h.Sysctl("net.ipv4.tcp_congestion_control", congestion)
	}
	if err := errors.Join(b.Lab.Err(), kmptcp.Multihome(b.Home)); err != nil {
		return err
	}
	ln, err := b.Home.Server.Listen("tcp", netip.AddrPortFrom(b.Addr, 9000).String())
	if err != nil {
		return err
	}
	b.kernelTCP = netip.AddrPortFrom(b.Addr, 9001).String()
	multipath, err := kmptcp.Listen(b.Home.Server, b.kernelTCP)
	if err != nil {
		_ = ln.Close()
		return err
	}
	b.sink = serveSink(ln, multipath)
	return nil
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
func (b *bond) direct(ctx context.Context, uplink int) (conn net.Conn, err error) {
	local := b.Home.Uplinks[uplink].Addr(netlab.SideA)
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))}
	d.SetMultipathTCP(false)
	err = b.Home.Client.Do(func() error {
		conn, err = d.DialContext(ctx, "tcp", b.sink.Addr().String())
		return err
	})
	return conn, err
}

// multipath opens a connection to the sink by kernel MPTCP, its first subflow over the best uplink.
func (b *bond) multipath(ctx context.Context) (net.Conn, error) {
	best := 0
	if len(b.profile.Links) > 0 {
		best = b.profile.Best()
	}
	return kmptcp.Dial(ctx, b.Home.Client, b.Home.Uplinks[best].Addr(netlab.SideA), b.kernelTCP)
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
