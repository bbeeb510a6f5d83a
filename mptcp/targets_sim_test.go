//go:build !race

package mptcp

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hawser/test/netlab/profile"
	"hawser/transport"
	"hawser/transport/plain/plaintest"
)

// steadyFrom is when goodput begins to count, and steadyTo when it ends.
const (
	steadyFrom = 2 * time.Second
	steadyTo   = 6 * time.Second
)

// links makes a profile's links for a simulation.
func links(p profile.Profile) (all []plaintest.LinkConfig) {
	for _, l := range p.Links {
		all = append(all, plaintest.LinkConfig{
			Rate: int(l.Rate), Delay: l.Delay, Jitter: l.Jitter, Loss: l.Loss, Queue: l.QueueBytes,
		})
	}
	return all
}

// alone is what one TCP connection gets on a link: bytes by steadyFrom and by steadyTo.
func alone(t *testing.T, l plaintest.LinkConfig, congestion string) (got [2]int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := plaintest.New(plaintest.Config{Seed: 1, Congestion: congestion})
		n.AddLink("a", l)
		ln := n.Listen(plaintest.Server)
		begin := time.Now()
		client, err := n.Dial(context.Background(), transport.Path{Uplink: "a", Remote: plaintest.Server})
		if err != nil {
			t.Fatal(err)
		}
		server, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		go plaintest.Push(client, 1<<40)
		var total atomic.Int64
		go func() { _ = plaintest.Drain(server, &total) }()
		for i, at := range []time.Duration{steadyFrom, steadyTo} {
			time.Sleep(time.Until(begin.Add(at)))
			got[i] = int(total.Load())
		}
		_, _, _ = client.Reset(), server.Reset(), ln.Close()
		time.Sleep(time.Minute)
	})
	return got
}

// bonded is what a session gets over all links, from when it is ready.
func bonded(t *testing.T, c conditions, download bool) (got [2]int) {
	t.Helper()
	simulateUnder(t, c, func(s *simulation) {
		a, b := s.pair()
		defer stop(a, b)
		if download {
			a, b = b, a
		}
		begin := time.Now()
		d := bulk(a, b)
		for i, at := range []time.Duration{steadyFrom, steadyTo} {
			time.Sleep(time.Until(begin.Add(at)))
			d.mu.Lock()
			got[i] = d.total
			d.mu.Unlock()
		}
	})
	return got
}

func mbit(got [2]int) float64 {
	return float64(got[1]-got[0]) * 8 / (steadyTo - steadyFrom).Seconds() / 1e6
}

// of is what one connection gets on each of a profile's links: the sum, and the most.
func (r references) of(t *testing.T, p profile.Profile, congestion string) (sum, best float64) {
	t.Helper()
	for i, l := range links(p) {
		key := congestion + p.Links[i].String()
		if _, ok := r[key]; !ok {
			r[key] = mbit(alone(t, l, congestion))
		}
		sum, best = sum+r[key], max(best, r[key])
	}
	return sum, best
}

// references are the figures of links alone, Mbit/s, that were measured before.
type references map[string]float64

// TestGoodputOfTheBond is P1 to P4: one stream gets nearly the sum of the links.
func TestGoodputOfTheBond(t *testing.T) {
	bounds := map[string]float64{"P1": 0.97, "P2": 0.96, "P3 lossy": 0.92, "P3 jitter": 0.94, "P4": 0.94}
	ref := references{}
	for _, p := range profile.Named() {
		sum, _ := ref.of(t, p, "bbr")
		for _, download := range []bool{false, true} {
			got := mbit(bonded(t, conditions{links: links(p), seed: 1}, download))
			t.Logf("%s, download %v: %.3f of the sum", p, download, got/sum)
			if got < bounds[p.Name]*sum {
				t.Errorf("%s, download %v: %.1f Mbit/s are %.3f of the sum, want %.2f", p, download, got, got/sum, bounds[p.Name])
			}
		}
	}
}

// TestHolesStopAnUplinkThatCountsThemAsInFlight: at its cap, for a round trip after each lost segment.
func TestHolesStopAnUplinkThatCountsThemAsInFlight(t *testing.T) {
	p := profile.TwoEqualOneLossy()
	sum, _ := references{}.of(t, p, "bbr")
	got := mbit(bonded(t, conditions{links: links(p), seed: 1, off: features{beyond: true}}, true))
	t.Logf("%.3f of the sum", got/sum)
	if got > 0.92*sum {
		t.Errorf("%.3f of the sum without counting what has arrived beyond a hole: the test shows nothing", got/sum)
	}
}

// TestNeverSlowerThanTheBestLink is P5, with both congestion controls. The directions alternate.
func TestNeverSlowerThanTheBestLink(t *testing.T) {
	ref := references{}
	for _, congestion := range []string{"bbr", "cubic"} {
		for i, p := range profile.Pairs() {
			const bound = 0.97
			_, best := ref.of(t, p, congestion)
			got := mbit(bonded(t, conditions{links: links(p), congestion: congestion, seed: 1}, i%2 == 0))
			t.Logf("%s %s: %.3f of the best link", congestion, p, got/best)
			if got < bound*best {
				t.Errorf("%s %s: %.1f Mbit/s are %.3f of the best link, want %.2f", congestion, p, got, got/best, bound)
			}
		}
	}
}

// loaded is the largest ratio of a link's round trip to its least while a transfer fills it.
func loaded(t *testing.T, c conditions) (ratio float64) {
	t.Helper()
	simulateUnder(t, c, func(s *simulation) {
		a, b := s.pair()
		defer stop(a, b)
		bulk(b, a)
		time.Sleep(3 * time.Second)
		for _, sub := range b.Stats().Subflows {
			base := 2 * c.links[sub.AddressID-1].Delay
			ratio = max(ratio, sub.RTT.Seconds()/base.Seconds())
		}
	})
	return ratio
}

// TestCapKeepsLoadedLatencyLow is below P9: what waits in the network stays short, whatever congestion control fills it.
func TestCapKeepsLoadedLatencyLow(t *testing.T) {
	p := profile.Pairs()[8] // 30/30 and 100/10
	with := loaded(t, conditions{links: links(p), congestion: "cubic", seed: 1})
	without := loaded(t, conditions{links: links(p), congestion: "cubic", seed: 1, off: features{cap: true}})
	t.Logf("round trip under load ÷ idle: %.2f with the cap, %.2f without", with, without)
	if with > 1.8 || without < 2.1 {
		t.Errorf("round trip under load ÷ idle is %.2f with the cap and %.2f without", with, without)
	}
}

// TestFewBytesComeTwice is P17.
func TestFewBytesComeTwice(t *testing.T) {
	for _, p := range []profile.Profile{profile.TwoEqual(), profile.CableLTE()} {
		simulateUnder(t, conditions{links: links(p), seed: 1}, func(s *simulation) {
			a, b := s.pair()
			defer stop(a, b)
			d := bulk(b, a)
			time.Sleep(4 * time.Second)
			d.mu.Lock()
			total := d.total
			d.mu.Unlock()
			if twice := a.Stats().Duplicates; float64(twice) > 0.01*float64(total) {
				t.Errorf("%s: %d of %d bytes came twice", p, twice, total)
			}
		})
	}
}

// TestBlackHoleOnUnequalLinks is P7 on the links of P2.
func TestBlackHoleOnUnequalLinks(t *testing.T) {
	cut := func(off features) (gaps []time.Duration) {
		simulateUnder(t, conditions{links: links(profile.CableLTE()), seed: 1, off: off}, func(s *simulation) {
			client, server := s.pair()
			defer stop(client, server)
			d := bulk(server, client)
			time.Sleep(2 * time.Second)
			for i := range trials {
				time.Sleep(time.Duration(i) * 7 * time.Millisecond) // the phase
				s.links[i%2].SetDown(plaintest.Both, true)
				_, gap := d.over(time.Second)
				gaps = append(gaps, gap)
				s.links[i%2].SetDown(plaintest.Both, false)
				time.Sleep(2 * time.Second)
			}
		})
		slices.Sort(gaps)
		return gaps
	}
	gaps := cut(features{})
	t.Logf("gaps %v", gaps)
	if gaps[trials/2] > 250*time.Millisecond || gaps[trials-1] > 400*time.Millisecond {
		t.Errorf("the gaps are %v, want 250 ms in the middle and 400 ms at most", gaps)
	}
	if gaps := cut(features{reinject: true}); gaps[trials/2] < 400*time.Millisecond {
		t.Errorf("the gaps are %v without sending again: it is not what shortens them", gaps)
	}
}
