package plaintest_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hawser/test/netlab"
	"hawser/transport/plain/plaintest"
)

// BenchmarkCalibration prints, for each link, what the kernel's TCP gets on it in a lab: goodput after two seconds and
// median of the smoothed round trip. It is no test, for the kernel's figures take their time and are never twice the
// same. Beside the test that prints what the twin gets, it makes the table of the package comment. It needs root:
//
//	go test ./transport/plain/plaintest -v -run GetsWhatTheKernelGot -bench Calibration/bbr -benchtime 1x
func BenchmarkCalibration(b *testing.B) {
	netlab.NeedRoot(b)
	for _, cc := range []string{"bbr", "cubic"} {
		b.Run(cc, func(b *testing.B) {
			for range b.N {
				for _, c := range calibrated {
					kernel, err := kernelSingle(c.link, cc)
					if err != nil {
						b.Fatal(err)
					}
					b.Logf("%-14s kernel %6.2f Mbit/s %4d ms, recorded %6.2f Mbit/s %4d ms", c.name, kernel.mbit,
						kernel.rtt.Milliseconds(), c.kernel[cc].mbit, c.kernel[cc].rtt.Milliseconds())
				}
			}
		})
	}
}

// kernelSingle measures the kernel's TCP on a link of a lab.
func kernelSingle(c plaintest.LinkConfig, cc string) (got single, err error) {
	lab, err := netlab.Open()
	if err != nil {
		return got, err
	}
	defer lab.Close()
	a, z := lab.Host("a"), lab.Host("z")
	for _, h := range []*netlab.Host{a, z} {
		h.Sysctl("net.ipv4.tcp_wmem", "4096 131072 33554432")
		h.Sysctl("net.ipv4.tcp_rmem", "4096 131072 33554432")
	}
	link := lab.Link(a, z, netlab.LinkConfig{
		ARate: int64(c.Rate), BRate: int64(c.Rate), Delay: c.Delay, Jitter: c.Jitter, Loss: c.Loss,
		QueueBytes: c.Queue, Seed: 1,
	})
	if err := lab.Err(); err != nil {
		return got, err
	}
	ln, err := z.Listen("tcp", netip.AddrPortFrom(link.Addr(netlab.SideB), 9000).String())
	if err != nil {
		return got, err
	}
	defer ln.Close()
	var total atomic.Int64
	go count(ln, &total)
	conn, err := dialKernel(a, ln.Addr().String(), cc)
	if err != nil {
		return got, err
	}
	defer conn.Close()
	go io.Copy(conn, endless{})
	return watchKernel(conn, &total)
}

// count accepts one connection and counts what comes.
func count(ln net.Listener, total *atomic.Int64) {
	conn, err := ln.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	buf := make([]byte, 256<<10)
	for err == nil {
		var n int
		n, err = conn.Read(buf)
		total.Add(int64(n))
	}
}

// dialKernel connects from a host by the congestion control named.
func dialKernel(from *netlab.Host, to, cc string) (conn *net.TCPConn, err error) {
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		_ = raw.Control(func(fd uintptr) {
			err = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, cc)
		})
		return err
	}}
	d.SetMultipathTCP(false)
	err = from.Do(func() error {
		c, err := d.DialContext(context.Background(), "tcp", to)
		if err == nil {
			conn = c.(*net.TCPConn)
		}
		return err
	})
	return conn, err
}

// watchKernel measures a sender whose bytes are counted at the other end.
func watchKernel(conn *net.TCPConn, total *atomic.Int64) (got single, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return got, err
	}
	tick := time.NewTicker(20 * ms)
	defer tick.Stop()
	var from int64
	var rtts []time.Duration
	begin := time.Now()
	warm, end := begin.Add(calibrationWarm), begin.Add(calibrationWarm+calibrationTime)
	for now := range tick.C {
		if now.Before(warm) {
			from, begin = total.Load(), now
			continue
		}
		_ = raw.Control(func(fd uintptr) {
			if t, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
				rtts = append(rtts, time.Duration(t.Rtt)*time.Microsecond)
			}
		})
		if now.After(end) {
			break
		}
	}
	got.mbit = float64(total.Load()-from) * 8 / time.Since(begin).Seconds() / 1e6
	slices.Sort(rtts)
	got.rtt = rtts[len(rtts)/2]
	return got, nil
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
