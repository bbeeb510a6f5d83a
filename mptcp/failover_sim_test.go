package mptcp

import (
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"hawser/transport/plain/plaintest"
)

// slow is two links of 5 Mbit/s and 10 ms: few events for a test that needs many seconds.
func slow() []plaintest.LinkConfig {
	l := plaintest.LinkConfig{Rate: 5e6, Delay: 10 * time.Millisecond}
	return []plaintest.LinkConfig{l, l}
}

// trials is how often a link is cut.
const trials = 6

// blackHoles cuts one of two links in mid-transfer, again and again at different phases, and returns the largest gap in
// what arrives of each trial, sorted.
func blackHoles(t *testing.T, off features, dir plaintest.Dir, download bool) (gaps []time.Duration) {
	t.Helper()
	simulate(t, off, slow(), func(s *simulation) {
		client, server := s.pair()
		defer stop(client, server)
		from, to := client, server
		if download {
			from, to = server, client
		}
		d := bulk(from, to)
		time.Sleep(2 * time.Second)
		for i := range trials {
			link := s.links[i%2]
			time.Sleep(time.Duration(i) * 7 * time.Millisecond) // the phase
			link.SetDown(dir, true)
			_, gap := d.over(1500 * time.Millisecond)
			gaps = append(gaps, gap)
			link.SetDown(dir, false)
			time.Sleep(5 * time.Second)
		}
	})
	slices.Sort(gaps)
	return gaps
}

func TestBlackHoleInterruptsForLessThanHalfASecond(t *testing.T) {
	for _, dir := range []plaintest.Dir{plaintest.Up, plaintest.Down, plaintest.Both} {
		for _, download := range []bool{false, true} {
			t.Run(fmt.Sprintf("direction=%d download=%v", dir, download), func(t *testing.T) {
				gaps := blackHoles(t, features{}, dir, download)
				t.Logf("p50 %v, largest %v", gaps[trials/2], gaps[trials-1])
				if worst := gaps[trials-1]; worst > 400*time.Millisecond {
					t.Errorf("the gap reached %v, want at most 400 ms", worst)
				}
			})
		}
	}
}

func TestWithoutTheSuspectTierABlackHoleInterruptsForSeconds(t *testing.T) {
	gaps := blackHoles(t, features{suspect: true, headOfLine: true}, plaintest.Both, true)
	if gaps[trials/2] < time.Second {
		t.Fatalf("p50 of the gap is %v without the tier: it is not what shortens it", gaps[trials/2])
	}
}

// messages sends a small message every 100 ms, cuts the quicker link, and returns the largest time between two arrivals.
func messages(t *testing.T, off features) (gap time.Duration) {
	t.Helper()
	links := []plaintest.LinkConfig{
		{Rate: 10e6, Delay: 5 * time.Millisecond}, {Rate: 10e6, Delay: 20 * time.Millisecond},
	}
	simulate(t, off, links, func(s *simulation) {
		client, server := s.pair()
		defer stop(client, server)
		go func() {
			for {
				if _, err := client.Write(make([]byte, 1000)); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}()
		d := &delivery{last: time.Now()}
		go func() {
			buf := make([]byte, 4096)
			for n, err := server.Read(buf); err == nil; n, err = server.Read(buf) {
				d.add(n)
			}
		}()
		time.Sleep(2 * time.Second)
		s.links[0].SetDown(plaintest.Both, true)
		_, gap = d.over(2500 * time.Millisecond)
	})
	return gap
}

func TestHeadOfLineTierBringsSmallMessagesOverAnIdleLink(t *testing.T) {
	with := messages(t, features{suspect: true, dead: true})
	without := messages(t, features{suspect: true, dead: true, headOfLine: true})
	if with > 400*time.Millisecond || without < 2*time.Second {
		t.Fatalf("the largest gap is %v with the tier and %v without", with, without)
	}
}

func TestWithoutReinjectionALostLinkStopsTheStream(t *testing.T) {
	for _, off := range []features{{}, {reinject: true, rejoin: true}} {
		simulate(t, off, slow(), func(s *simulation) {
			client, server := s.pair()
			defer stop(client, server)
			d := bulk(server, client)
			time.Sleep(2 * time.Second)
			s.links[0].SetDown(plaintest.Both, true)
			time.Sleep(10 * time.Second)
			bps, _ := d.over(5 * time.Second)
			if arrives := bps > 1e6; arrives == off.reinject {
				t.Errorf("with reinjection off %v, %.1f Mbit/s arrive over the link that is left", off.reinject, bps/1e6)
			}
		})
	}
}

// returns cuts a link for a while and reports how long after its return it carries data again.
func returns(t *testing.T, off features, outage time.Duration, download bool) (wait time.Duration) {
	t.Helper()
	simulate(t, off, slow(), func(s *simulation) {
		client, server := s.pair()
		defer stop(client, server)
		from, to, dir := client, server, plaintest.Up
		if download {
			from, to, dir = server, client, plaintest.Down
		}
		bulk(from, to)
		time.Sleep(2 * time.Second)
		s.links[0].SetDown(plaintest.Both, true)
		time.Sleep(outage)
		s.links[0].SetDown(plaintest.Both, false)
		back := time.Now()
		before := s.links[0].Bytes(dir)
		for s.links[0].Bytes(dir) < before+100_000 && time.Since(back) < 10*time.Second {
			time.Sleep(10 * time.Millisecond)
		}
		wait = time.Since(back)
	})
	return wait
}

func TestReturningLinkCarriesDataWithinThreeSeconds(t *testing.T) {
	for _, outage := range []time.Duration{500 * time.Millisecond, 2 * time.Second, 5 * time.Second, 20 * time.Second, 61 * time.Second} {
		for _, download := range []bool{false, true} {
			if wait := returns(t, features{}, outage, download); wait > 3*time.Second {
				t.Errorf("after %v (download %v) the link carries data %v after its return, want within 3 s", outage, download, wait)
			}
		}
	}
	if wait := returns(t, features{dead: true}, 20*time.Second, false); wait < 3*time.Second {
		t.Errorf("without giving silent paths up the link still returned after %v: the test shows nothing", wait)
	}
	if wait := returns(t, features{rejoin: true}, 20*time.Second, false); wait < 10*time.Second {
		t.Errorf("without joining again the link still returned after %v: the test shows nothing", wait)
	}
}

func TestConnectionOutlivesAllItsSubflows(t *testing.T) {
	simulate(t, features{}, equal(), func(s *simulation) {
		client, server := s.pair()
		defer stop(client, server)
		for _, l := range s.links {
			l.SetDown(plaintest.Both, true)
		}
		time.Sleep(5 * time.Second)
		done := make(chan error, 1)
		go func() {
			for range 100 {
				if _, err := client.Write(make([]byte, 10_000)); err != nil {
					done <- err
					return
				}
			}
			done <- client.CloseWrite()
		}()
		time.Sleep(55 * time.Second)
		if st := client.Stats(); st.State != ConnWaiting {
			t.Fatalf("a connection without subflows is %s", st.State)
		}
		for _, l := range s.links {
			l.SetDown(plaintest.Both, false)
		}
		n, err := io.Copy(io.Discard, server)
		if werr := <-done; n != 1_000_000 || err != nil || werr != nil {
			t.Fatalf("%d bytes arrived, read %v, write %v", n, err, werr)
		}
	})
}

func TestConnectionEndsWhenItsTimeIsOver(t *testing.T) {
	simulate(t, features{}, equal(), func(s *simulation) {
		client, server := s.pair()
		begin := time.Now()
		_, _ = client.Write([]byte("outstanding"))
		_, _ = server.Write([]byte("outstanding"))
		for _, l := range s.links {
			l.SetDown(plaintest.Both, true)
		}
		<-client.Done()
		<-server.Done()
		if took := time.Since(begin); took < time.Minute || took > 90*time.Second {
			t.Fatalf("the ends gave up after %v, want a minute after the last subflow", took)
		}
	})
}
