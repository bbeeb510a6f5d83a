//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"hawser/test/bench/xray"
	"hawser/test/netlab"
	"hawser/test/netlab/kmptcp"
)

// startPeer runs xray-core beside the bond's own pair, on the same hosts and uplinks, and proves that its connections
// use every uplink. Streams of a pair may share connections: mux of them each, or none.
func (b *bond) startPeer(ctx context.Context, mux int) (*xray.Pair, error) {
	cfg := xray.Config{SOCKS: xray.DefaultSOCKS, Server: xray.DefaultServer, Mux: mux}
	if mux > 0 {
		cfg.SOCKS++
		cfg.Server++
	}
	p, err := xray.Start(ctx, b.Home, cfg)
	if err != nil {
		return nil, err
	}
	if err := b.prove(ctx, p); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// through opens connections to the sink through xray-core.
func (b *bond) through(p *xray.Pair) dialer {
	return func(ctx context.Context) (net.Conn, error) { return p.Dial(ctx, b.sink.Addr().String()) }
}

// prove makes one transfer through xray-core and reads from the kernel's counters whether it had a subflow over every
// uplink.
func (b *bond) prove(ctx context.Context, p *xray.Pair) error {
	before, err := kmptcp.ReadCounters(b.Home.Server)
	if err != nil {
		return err
	}
	t, err := b.sink.dial(ctx, b.through(p), false)
	if err != nil {
		return err
	}
	defer t.stop()
	for end := time.Now().Add(5 * time.Second); ; pause(ctx, 20*time.Millisecond) {
		after, err := kmptcp.ReadCounters(b.Home.Server)
		if err != nil {
			return err
		}
		err = after.Since(before).Proof(len(b.Home.Uplinks) - 1)
		if err == nil && t.received.Load() > 0 {
			return nil
		}
		if time.Now().After(end) || ctx.Err() != nil {
			return errors.Join(fmt.Errorf("xray-core received %d bytes", t.received.Load()), err, ctx.Err())
		}
	}
}

// reusePorts lets kernels connect again from ports whose connections ended a second ago: thousands of connections a
// second use up the ports otherwise.
func (b *bond) reusePorts() error {
	for _, h := range []*netlab.Host{b.Home.Client, b.Home.Server} {
		h.Sysctl("net.ipv4.tcp_tw_reuse", "1")
		h.Sysctl("net.ipv4.ip_local_port_range", "10000 65000")
	}
	return b.Lab.Err()
}

// tick is the unit of processor time in /proc: USER_HZ is 100 on every architecture that Go knows.
const tick = 10 * time.Millisecond

// cpuTime is the processor time that programs have used so far, theirs and the kernel's for them.
func cpuTime(programs ...*netlab.Cmd) (sum time.Duration, err error) {
	for _, c := range programs {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.Process.Pid))
		if err != nil {
			return 0, err
		}
		// proc_pid_stat(5): the second field is a name in parentheses; utime and stime are fields 14 and 15.
		_, rest, _ := strings.Cut(string(text), ") ")
		f := strings.Fields(rest)
		var user, system int64
		if len(f) < 13 {
			return 0, fmt.Errorf("/proc/%d/stat has an unknown format: %q", c.Process.Pid, text)
		}
		if _, err := fmt.Sscan(f[11]+" "+f[12], &user, &system); err != nil {
			return 0, fmt.Errorf("/proc/%d/stat: %w", c.Process.Pid, err)
		}
		sum += time.Duration(user+system) * tick
	}
	return sum, nil
}
