//go:build linux

package netlab_test

import (
	"context"
	"io"
	"testing"
	"time"

	"hawser/test/netlab"
)

func TestSmoke(t *testing.T) {
	lab := netlab.New(t)
	a, b := lab.Host("a"), lab.Host("b")
	l := lab.Link(a, b, netlab.LinkConfig{Name: "dsl", ARate: 50 * netlab.Mbit, BRate: 50 * netlab.Mbit, Delay: 10 * time.Millisecond})
	for _, c := range [][]string{{"ip", "-d", "addr"}, {"ip", "route"}, {"ip", "-6", "route"}, {"ping", "-c", "5", "-i", "0.05", l.Addr(netlab.SideB).String()}, {"ping", "-c", "3", "-i", "0.05", l.Addr6(netlab.SideB).String()}, {"ip", "neigh"}} {
		out, err := a.Command(t.Context(), c[0], c[1:]...).CombinedOutput()
		t.Logf("%v: %v\n%s", c, err, out)
	}
	ln, err := b.Listen("tcp", l.Addr(netlab.SideB).String()+":0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		c, err := ln.Accept()
		if err == nil {
			io.Copy(io.Discard, c)
		}
	}()
	conn, err := a.Dial(context.Background(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	m, _ := netlab.MarkCPU()
	start := time.Now()
	for time.Since(start) < 3*time.Second {
		conn.Write(buf)
	}
	conn.Close()
	m2, _ := netlab.MarkCPU()
	t.Logf("%+v", l.Counters(netlab.AToB))
	t.Logf("%+v", l.Counters(netlab.BToA))
	t.Logf("rate last 2 s %v Mbit/s cpu %+v", float64(l.BytesBetween(netlab.AToB, start.Add(time.Second), start.Add(3*time.Second)))*8/2e6, m2.Since(m))
}
