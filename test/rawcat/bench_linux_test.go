package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"hawser/test/netlab"
)

// BenchmarkOneConnection is the goodput of one connection of rawcat to a kernel peer, beside kernel to kernel, over an
// unshaped link and over a shaped one. Run it with -benchtime 1x.
func BenchmarkOneConnection(b *testing.B) {
	for _, l := range []struct {
		name string
		link netlab.LinkConfig
		size int64
	}{
		{"unshaped", netlab.LinkConfig{}, 2 << 30},
		{"50Mbit", netlab.LinkConfig{ARate: 50e6, BRate: 50e6, Delay: 10 * time.Millisecond}, 24 << 20},
	} {
		for _, congestion := range []string{"cubic", "bbr"} {
			for _, up := range []bool{true, false} {
				for _, raw := range []bool{false, true} {
					who := map[bool]string{false: "kernel", true: "rawcat"}[raw] + map[bool]string{false: "-receives", true: "-sends"}[up]
					if congestion == "bbr" && !(raw && up) {
						continue // the kernel's control is its default throughout
					}
					b.Run(fmt.Sprintf("%s/%s/%s", l.name, who, congestion), func(b *testing.B) {
						benchOne(b, l.link, l.size, up, raw, congestion)
					})
				}
			}
		}
	}
}

// benchOne measures from the accepted connection to the last byte.
func benchOne(b *testing.B, cfg netlab.LinkConfig, size int64, up, raw bool, congestion string) {
	lab := netlab.New(b)
	ha, hb := lab.Host("a"), lab.Host("b")
	link := lab.Link(ha, hb, cfg)
	at := netip.AddrPortFrom(link.Addr(netlab.SideB), listenPort).String()
	l, err := hb.Listen("tcp", at)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	b.SetBytes(size)
	for b.Loop() {
		b.StopTimer()
		var near net.Conn
		ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
		var cmd *netlab.Cmd
		if raw {
			args := []string{"connect", "--to", at, "--discard", "--stats", "--congestion", congestion}
			if up {
				args = append(args, "--zeros", fmt.Sprint(size))
			}
			cmd = ha.Command(ctx, program(b), args...)
			cmd.Stderr = os.Stderr
			err = cmd.Start()
		} else {
			near, err = ha.Dial(ctx, "tcp", at)
		}
		if err != nil {
			b.Fatal(err)
		}
		far, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if near != nil && up {
			go pour(near, size)
		}
		if near != nil && !up {
			go pour(far, size)
			drain(b, near, size)
		} else if up {
			drain(b, far, size)
		} else {
			pour(far, size)
		}
		if cmd != nil && !up {
			if err := cmd.Wait(); err != nil { // its TIME-WAIT is the peer's
				b.Error(err)
			}
		}
		b.StopTimer()
		_ = far.Close()
		if near != nil {
			_ = near.Close()
		}
		if cmd != nil && up {
			_ = cmd.Wait()
		}
		cancel()
		b.StartTimer()
	}
}

// pour writes n zeros and closes that way.
func pour(c net.Conn, n int64) {
	piece := make([]byte, 256<<10)
	for ; n > 0; n -= int64(len(piece)) {
		if _, err := c.Write(piece); err != nil {
			return
		}
	}
	_ = c.(*net.TCPConn).CloseWrite()
}

// drain reads to the end.
func drain(b *testing.B, c net.Conn, n int64) {
	got, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 256<<10))
	if err != nil || got != n {
		b.Errorf("%d of %d bytes, %v", got, n, err)
	}
}
