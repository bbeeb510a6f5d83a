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
