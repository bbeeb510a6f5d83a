package plaintest_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hawser/transport"
	"hawser/transport/plain"
	"hawser/transport/plain/plaintest"
)

// connect makes a connection over the link "dsl" and returns both ends.
func connect(t *testing.T, n *plaintest.Network, ln plain.SocketListener) (client, server plain.Socket) {
	t.Helper()
	client, err := n.Dial(context.Background(), transport.Path{Uplink: "dsl", Remote: plaintest.Server})
	if err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// drain reads to the end.
func drain(s plain.Socket) (n int, err error) {
	var total atomic.Int64
	err = plaintest.Drain(s, &total)
	return int(total.Load()), err
}

// world runs a test in virtual time, on one link.
func world(t *testing.T, c plaintest.Config, l plaintest.LinkConfig, f func(t *testing.T, n *plaintest.Network, link *plaintest.Link, ln plain.SocketListener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := plaintest.New(c)
		link := n.AddLink("dsl", l)
		ln := n.Listen(plaintest.Server)
		defer time.Sleep(time.Hour)
		defer func() { _ = ln.Close() }()
		f(t, n, link, ln)
	})
}

// transfer moves size bytes up and returns how long that took; during runs beside it.
func transfer(t *testing.T, n *plaintest.Network, ln plain.SocketListener, size int, during func()) time.Duration {
	t.Helper()
	client, server := connect(t, n, ln)
	start := time.Now()
	go plaintest.Push(client, size)
	if during != nil {
		go during()
	}
	got, err := drain(server)
	took := time.Since(start)
	if got != size || !errors.Is(err, io.EOF) {
		t.Fatalf("%d of %d bytes, %v", got, size, err)
	}
	_ = client.Close()
	_ = server.Close()
	return took
}

func TestTransferTimes(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name     string
		cfg      plaintest.Config
		link     plaintest.LinkConfig
		size     int
		min, max time.Duration
	}{
		{"10 Mbit/s", plaintest.Config{}, plaintest.LinkConfig{Rate: 10e6, Delay: 10 * ms}, 2.5e6, 2000 * ms, 2300 * ms},
		{"10 Mbit/s, reno", plaintest.Config{Congestion: "reno"}, plaintest.LinkConfig{Rate: 10e6, Delay: 10 * ms}, 2.5e6, 2000 * ms, 2300 * ms},
		{"100 Mbit/s, 50 ms", plaintest.Config{}, plaintest.LinkConfig{Rate: 100e6, Delay: 50 * ms}, 10e6, 800 * ms, 2300 * ms},
		{"1 % loss", plaintest.Config{}, plaintest.LinkConfig{Rate: 30e6, Delay: 30 * ms, Loss: 0.01}, 7.5e6, 2000 * ms, 3200 * ms},
		{"1 % loss, reno", plaintest.Config{Congestion: "reno"}, plaintest.LinkConfig{Rate: 30e6, Delay: 30 * ms, Loss: 0.01}, 7.5e6, 8000 * ms, 60000 * ms},
		{"jitter", plaintest.Config{}, plaintest.LinkConfig{Rate: 20e6, Delay: 20 * ms, Jitter: 10 * ms}, 5e6, 2000 * ms, 2700 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			world(t, c.cfg, c.link, func(t *testing.T, n *plaintest.Network, _ *plaintest.Link, ln plain.SocketListener) {
				took := transfer(t, n, ln, c.size, nil)
				t.Logf("took %v", took)
				if took < c.min || took > c.max {
					t.Errorf("took %v, want %v to %v", took, c.min, c.max)
				}
			})
		})
	}
}

// TestSameSeedSameTimes: a simulation can be repeated exactly.
func TestSameSeedSameTimes(t *testing.T) {
	run := func(seed uint64) (took time.Duration) {
		world(t, plaintest.Config{Seed: seed}, plaintest.LinkConfig{Rate: 20e6, Delay: 20 * time.Millisecond, Loss: 0.02, Jitter: time.Millisecond},
			func(t *testing.T, n *plaintest.Network, _ *plaintest.Link, ln plain.SocketListener) {
				took = transfer(t, n, ln, 1e6, nil)
			})
		return took
	}
	a, b, c := run(1), run(1), run(2)
	if a != b || a == c {
		t.Fatalf("seed 1: %v and %v, seed 2: %v", a, b, c)
	}
}

// TestBlackHoleAndReturn: nothing gets through, and TCP comes back by its retransmission timer.
func TestBlackHoleAndReturn(t *testing.T) {
	world(t, plaintest.Config{}, plaintest.LinkConfig{Rate: 10e6, Delay: 10 * time.Millisecond},
		func(t *testing.T, n *plaintest.Network, link *plaintest.Link, ln plain.SocketListener) {
			var swallowed uint64
			took := transfer(t, n, ln, 2.5e6, func() {
				time.Sleep(500 * time.Millisecond)
				link.SetDown(plaintest.Up, true)
				before := link.Bytes(plaintest.Up)
				time.Sleep(3 * time.Second)
				swallowed = link.Bytes(plaintest.Up) - before
				link.SetDown(plaintest.Up, false)
			})
			if swallowed != 0 || took < 5*time.Second || took > 9*time.Second {
				t.Fatalf("%d bytes came through; took %v", swallowed, took)
			}
		})
}

func TestRateAndDelayChangeLive(t *testing.T) {
	world(t, plaintest.Config{}, plaintest.LinkConfig{Rate: 10e6, Delay: 10 * time.Millisecond},
		func(t *testing.T, n *plaintest.Network, link *plaintest.Link, ln plain.SocketListener) {
			took := transfer(t, n, ln, 2.5e6, func() {
				time.Sleep(time.Second)
				link.SetRate(plaintest.Both, 5e6)
				link.SetDelay(plaintest.Both, 20*time.Millisecond)
			})
			if took < 2900*time.Millisecond || took > 3400*time.Millisecond {
				t.Fatalf("took %v, want about 3 s", took)
			}
		})
}

func TestTwoConnectionsShareALink(t *testing.T) {
	world(t, plaintest.Config{Congestion: "reno"}, plaintest.LinkConfig{Rate: 20e6, Delay: 10 * time.Millisecond},
		func(t *testing.T, n *plaintest.Network, link *plaintest.Link, ln plain.SocketListener) {
			start := time.Now()
			done := make(chan time.Duration, 2)
			for range 2 {
				client, server := connect(t, n, ln)
				go plaintest.Push(client, 2.5e6)
				go func() {
					_, _ = drain(server)
					done <- time.Since(start)
					_ = client.Close()
					_ = server.Close()
				}()
			}
			<-done
			if took := <-done; took < 2*time.Second || took > 2500*time.Millisecond {
				t.Fatalf("both took %v, the link needs 2 s", took)
			}
			if got := link.Bytes(plaintest.Up); got < 5e6 || got > 5.6e6 {
				t.Fatalf("the link counted %d bytes", got)
			}
		})
}

func TestResetBreaksBothEnds(t *testing.T) {
	world(t, plaintest.Config{}, plaintest.LinkConfig{Rate: 10e6, Delay: 10 * time.Millisecond},
		func(t *testing.T, n *plaintest.Network, link *plaintest.Link, ln plain.SocketListener) {
			client, server := connect(t, n, ln)
			if link.Conns() != 1 {
				t.Fatalf("%d connections", link.Conns())
			}
			link.Reset()
			for _, s := range []plain.Socket{client, server} {
				if _, err := drain(s); !errors.Is(err, syscall.ECONNRESET) {
					t.Error(err)
				}
				_ = s.Close()
			}
			if link.Conns() != 0 {
				t.Fatalf("%d connections", link.Conns())
			}
		})
}

func TestQueueDropsWhatDoesNotFit(t *testing.T) {
	world(t, plaintest.Config{Congestion: "reno"}, plaintest.LinkConfig{Rate: 10e6, Delay: 10 * time.Millisecond, Queue: 15000},
		func(t *testing.T, n *plaintest.Network, _ *plaintest.Link, ln plain.SocketListener) {
			client, server := connect(t, n, ln)
			go plaintest.Push(client, 2.5e6)
			_, _ = drain(server)
			if i := client.Info(); i.Retransmits == 0 || i.RTT > 40*time.Millisecond {
				t.Errorf("%+v: want losses, and at most 20 + 12 ms", i)
			}
			_ = client.Close()
			_ = server.Close()
		})
}
