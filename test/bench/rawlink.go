//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"hawser/test/netlab"
	"hawser/test/netlab/profile"
)

// rawLab is two hosts with links between them, all of one kind. One connection at a time goes over each: from rawcat or the
// kernel of the near host to the kernel of the far one.
type rawLab struct {
	lab        *netlab.Lab
	near, far  *netlab.Host
	lanes      []*lane
	bin        string
	congestion string
}

// lane is a link of a rawLab.
type lane struct {
	*rawLab
	link     *netlab.Link
	listener *net.TCPListener
}

// newRawLab builds a lab with so many links, and sets both kernels' congestion control.
func (b *bench) newRawLab(cfg netlab.LinkConfig, lanes int) (*rawLab, error) {
	lab, err := netlab.Open()
	if err != nil {
		return nil, err
	}
	r := &rawLab{lab: lab, near: lab.Host("near"), far: lab.Host("far"), bin: b.bin, congestion: b.congestion}
	for _, h := range []*netlab.Host{r.near, r.far} {
		h.Sysctl("net.ipv4.tcp_congestion_control", b.congestion)
	}
	for range lanes {
		cfg.Seed++
		k := &lane{rawLab: r, link: lab.Link(r.near, r.far, cfg)}
		if err := lab.Err(); err != nil {
			r.close()
			return nil, err
		}
		ln, err := r.far.Listen("tcp", netip.AddrPortFrom(k.link.Addr(netlab.SideB), 9000).String())
		if err != nil {
			r.close()
			return nil, err
		}
		k.listener = ln.(*net.TCPListener)
		r.lanes = append(r.lanes, k)
	}
	return r, nil
}

func (r *rawLab) close() {
	for _, k := range r.lanes {
		_ = k.listener.Close()
	}
	_ = r.lab.Close()
}

// settle waits until the links have forgotten the transfer before. What they are is the same for all.
func (r *rawLab) settle(ctx context.Context, kind profile.Link) {
	links, kinds := make([]*netlab.Link, len(r.lanes)), make([]profile.Link, len(r.lanes))
	for i, k := range r.lanes {
		links[i], kinds[i] = k.link, kind
	}
	settle(ctx, links, kinds)
}

// A nearEnd is the near host's end of a connection under way.
type nearEnd interface {
	// stop ends it at once.
	stop() error
}

// An opener opens a connection to a lane's listener. It sends, or receives, without end.
type opener func(ctx context.Context, k *lane, sends bool) (nearEnd, error)

// rawRun is what one transfer has shown.
type rawRun struct {
	goodput
	bytes int64   // that arrived in all
	cpu   float64 // seconds that the whole machine was busy from the beginning to the end
}

// measure makes a transfer of so long over each of the links at the same time, and adds them up.
func (r *rawLab) measure(ctx context.Context, open opener, sends bool, d time.Duration) (sum rawRun, err error) {
	each := make([]rawRun, len(r.lanes))
	var g errgroup.Group
	for i, k := range r.lanes {
		g.Go(func() (err error) {
			each[i], err = k.measure(ctx, open, sends, d)
			return err
		})
	}
	err = g.Wait()
	for _, m := range each {
		sum.goodput = sum.add(m.goodput)
		sum.bytes += m.bytes
		sum.cpu = max(sum.cpu, m.cpu)
	}
	return sum, err
}

// measure makes a transfer of so long, the warm-up included. What arrives is counted by the far kernel: what its
// application has read, or what has been acknowledged to it.
func (k *lane) measure(ctx context.Context, open opener, sends bool, d time.Duration) (m rawRun, err error) {
	mark, err := netlab.MarkCPU()
	if err != nil {
		return m, err
	}
	begin := time.Now()
	end, err := open(ctx, k, sends)
	if err != nil {
		return m, err
	}
	var c *net.TCPConn
	defer func() {
		err = errors.Join(err, end.stop())
		if c != nil {
			_ = c.Close()
		}
	}()
	const patience = 10 * time.Second
	if err := k.listener.SetDeadline(time.Now().Add(patience)); err != nil {
		return m, err
	}
	if c, err = k.listener.AcceptTCP(); err != nil {
		return m, err
	}
	count := func() (int64, error) { return acknowledged(c) }
	if sends {
		received := new(atomic.Int64)
		go drain(c, received)
		count = func() (int64, error) { return received.Load(), nil }
	} else {
		go func() { _ = pump(c) }()
	}
	var warm, last sample
	for _, s := range []struct {
		at   time.Duration
		into *sample
	}{{warmUp, &warm}, {d, &last}} {
		pause(ctx, s.at-time.Since(begin))
		if s.into.bytes, err = count(); err != nil {
			return m, err
		}
		s.into.at = time.Since(begin)
	}
	now, err := netlab.MarkCPU()
	if err != nil {
		return m, err
	}
	use := now.Since(mark)
	m.goodput = goodput{last.rate(warm), last.rate(sample{}), use.Saturated()}
	m.bytes, m.cpu = last.bytes, use.Busy*last.at.Seconds()*float64(processors())
	if m.steady == 0 {
		return m, fmt.Errorf("nothing arrives over %s", k.link.Interface(netlab.SideA))
	}
	return m, ctx.Err()
}

// acknowledged is how many bytes the peer of a kernel's connection has acknowledged.
func acknowledged(c *net.TCPConn) (n int64, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var info *unix.TCPInfo
	if e := raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); e != nil {
		return 0, e
	}
	if err != nil {
		return 0, os.NewSyscallError("TCP_INFO", err)
	}
	return int64(info.Bytes_acked), nil
}

// kernelEnd is a connection of the kernel's.
type kernelEnd struct{ net.Conn }

func (e kernelEnd) stop() error {
	_ = e.Conn.(*net.TCPConn).SetLinger(0)
	return e.Close()
}

// kernelConn opens a connection by the near kernel.
func kernelConn(ctx context.Context, k *lane, sends bool) (nearEnd, error) {
	c, err := k.near.Dial(ctx, "tcp", k.listener.Addr().String())
	if err != nil {
		return nil, err
	}
	if sends {
		go func() { _ = pump(c) }()
	} else {
		go drain(c, new(atomic.Int64))
	}
	return kernelEnd{c}, nil
}

// rawcat is one that runs.
type rawcat struct {
	cmd    *netlab.Cmd
	says   bytes.Buffer
	report *rawcatReport // of all that were started by the same opener
}

// rawcatReport is what rawcats print with --stats, as far as it is of use here, and what they have cost.
type rawcatReport struct {
	mu          sync.Mutex
	retransmits int64
	path        string
	cpu         float64 // seconds of the processes
}

// rawcatConn gives an opener that starts rawcat with options.
func rawcatConn(report *rawcatReport, options ...string) opener {
	return func(ctx context.Context, k *lane, sends bool) (nearEnd, error) {
		args := append([]string{
			"connect", "--to", k.listener.Addr().String(), "--congestion", k.congestion, "--discard", "--stats",
		}, options...)
		c := &rawcat{cmd: k.near.Command(ctx, filepath.Join(k.bin, "rawcat"), args...), report: report}
		c.cmd.Stderr = &c.says
		if sends {
			zeros, err := os.Open("/dev/zero")
			if err != nil {
				return nil, err
			}
			defer zeros.Close()
			c.cmd.Stdin = zeros
		}
		return c, c.cmd.Start()
	}
}

// stop ends it, which is not in order as rawcat sees it, and takes its figures.
func (c *rawcat) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("rawcat: %w: %s", err, c.says.String())
	}
	_ = c.cmd.Wait()
	var said struct {
		Retransmits int64  `json:"retransmits"`
		Path        string `json:"path"`
	}
	_, figures, ok := strings.Cut(c.says.String(), "{")
	figures, _, _ = strings.Cut("{"+figures, "\n")
	if err := json.Unmarshal([]byte(figures), &said); err != nil || !ok {
		return fmt.Errorf("rawcat has given no figures: %s", c.says.String())
	}
	c.report.mu.Lock()
	defer c.report.mu.Unlock()
	c.report.retransmits += said.Retransmits
	c.report.path = said.Path
	if u, ok := c.cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.report.cpu += time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
	}
	return nil
}
