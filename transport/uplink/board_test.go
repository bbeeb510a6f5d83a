package uplink

import (
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// testLink is a path with a rate and a queue, on which a sender keeps as much in flight as the board allows.
type testLink struct {
	rate     int // bytes/s
	delay    time.Duration
	stall    time.Duration // once in stallEvery, acknowledgements wait for this time and come together
	busy     time.Time     // the bottleneck is busy until then
	entry    *Entry
	inFlight []flight
	queue    time.Duration // longest wait in the queue since it was last reset
	moved    int
}

type flight struct {
	back time.Time
	mark Mark
	n    int
}

const (
	testChunk  = 16 << 10
	stallEvery = 300 * time.Millisecond
)

// run keeps the link filled up to the board's cap until the time given.
func (l *testLink) run(now, until time.Time) time.Time {
	for now.Before(until) {
		for f := l.entry.Facts(now); f.InFlight+testChunk <= max(f.Cap, testChunk); f = l.entry.Facts(now) {
			l.send(now)
		}
		next := l.inFlight[0]
		l.inFlight = l.inFlight[1:]
		now = next.back
		l.entry.Acked(now, next.mark, next.n, now.Sub(next.mark.Sent))
		l.moved += next.n
	}
	return now
}

func (l *testLink) send(now time.Time) {
	start := now
	if l.busy.After(start) {
		start = l.busy
	}
	l.queue = max(l.queue, start.Sub(now))
	l.busy = start.Add(time.Duration(float64(testChunk) / float64(l.rate) * float64(time.Second)))
	back := l.busy.Add(2 * l.delay)
	if begin := back.Truncate(stallEvery); back.Before(begin.Add(l.stall)) {
		back = begin.Add(l.stall)
	}
	l.inFlight = append(l.inFlight, flight{back: back, mark: l.entry.Sent(now, testChunk), n: testChunk})
}

func newLink(rate int, delay time.Duration) *testLink {
	return &testLink{rate: rate, delay: delay, entry: NewBoard().Acquire(Key{Uplink: "dsl"}), busy: epoch}
}

func TestCapFillsALinkAndKeepsItsQueueShort(t *testing.T) {
	for _, c := range []struct {
		mbit  int
		delay time.Duration
	}{{50, 10 * time.Millisecond}, {300, 5 * time.Millisecond}, {20, 100 * time.Millisecond}, {5, 40 * time.Millisecond}} {
		l := newLink(c.mbit*1e6/8, c.delay)
		now := l.run(epoch, epoch.Add(time.Second+30*c.delay))
		l.moved, l.queue = 0, 0
		begin := now
		now = l.run(now, begin.Add(30*time.Second))
		share := float64(l.moved) / now.Sub(begin).Seconds() / float64(l.rate)
		if share < 0.97 {
			t.Errorf("%d Mbit/s, %v: only %.2f of the rate", c.mbit, c.delay, share)
		}
		// A quarter of a round trip, twice that when the cap opens again after the queue was drained; a burst of
		// acknowledgements, the slack, and two chunks.
		most := l.delay + 4*time.Millisecond + time.Duration(4*testChunk*int(time.Second)/l.rate)
		if l.queue > most {
			t.Errorf("%d Mbit/s, %v: the queue reached %v, want at most %v", c.mbit, c.delay, l.queue, most)
		}
	}
}

func TestMinimumRoundTripIsMeasuredAnewWithoutItsOwnQueue(t *testing.T) {
	l := newLink(50e6/8, 10*time.Millisecond)
	now := l.run(epoch, epoch.Add(120*time.Second))
	serial := time.Duration(testChunk * int(time.Second) / l.rate)
	if got, most := l.entry.Facts(now).MinRTT, 20*time.Millisecond+2*serial; got > most {
		t.Fatalf("after two minutes of load the minimum round trip is %v, want at most %v", got, most)
	}
}

func TestCapFollowsARateThatChanges(t *testing.T) {
	l := newLink(20e6/8, 20*time.Millisecond)
	now := l.run(epoch, epoch.Add(5*time.Second))
	for _, mbit := range []int{80, 10} {
		l.rate = mbit * 1e6 / 8
		now = l.run(now, now.Add(3*time.Second))
		got := float64(l.entry.Facts(now).Rate) / float64(l.rate)
		if got < 0.95 || got > 1.1 {
			t.Fatalf("3 s after the change to %d Mbit/s the rate is taken for %.2f of it", mbit, got)
		}
	}
}

func TestApplicationLimitedTimesDoNotLowerTheRate(t *testing.T) {
	l := newLink(50e6/8, 10*time.Millisecond)
	now := l.run(epoch, epoch.Add(3*time.Second))
	for len(l.inFlight) > 0 {
		f := l.inFlight[0]
		l.inFlight = l.inFlight[1:]
		now = f.back
		l.entry.Acked(now, f.mark, f.n, now.Sub(f.mark.Sent))
	}
	before := l.entry.Facts(now).Rate
	for range 100 { // a chunk every 100 ms
		l.entry.AppLimited()
		l.send(now)
		f := l.inFlight[0]
		l.inFlight = nil
		l.entry.Acked(f.back, f.mark, f.n, f.back.Sub(f.mark.Sent))
		now = now.Add(100 * time.Millisecond)
	}
	if after := l.entry.Facts(now).Rate; after < before*9/10 {
		t.Fatalf("the rate fell from %d to %d while the application was slow", before, after)
	}
}

func TestSuspicionReachesEveryWatcherOnce(t *testing.T) {
	e := NewBoard().Acquire(Key{Uplink: "dsl"})
	var first, second int
	e.Watch(func() { first++ })
	stop := e.Watch(func() { second++ })
	e.SetSuspect(epoch)
	e.SetSuspect(epoch.Add(time.Second))
	stop()
	if got := e.Facts(epoch).Suspect; got != epoch {
		t.Fatalf("suspect since %v", got)
	}
	e.RoundTrip(epoch, time.Millisecond) // any sign of life ends it
	e.SetSuspect(epoch)
	if first != 2 || second != 1 {
		t.Fatalf("the watchers were called %d and %d times, want 2 and 1", first, second)
	}
}

func TestBoardKeepsFactsWithoutUsersAndStaysBounded(t *testing.T) {
	b := NewBoard()
	e := b.Acquire(Key{Uplink: "dsl", Peer: "a"})
	e.RoundTrip(epoch, 7*time.Millisecond)
	b.Release(e)
	if got := b.Acquire(Key{Uplink: "dsl", Peer: "a"}).Facts(epoch).MinRTT; got != 7*time.Millisecond {
		t.Fatalf("the facts are gone: %v", got)
	}
	for i := range 3 * maxEntries {
		b.Release(b.Acquire(Key{Uplink: string(rune(i)), Peer: "x"}))
	}
	if n := len(b.Facts(epoch)); n > maxEntries {
		t.Fatalf("%d entries, want at most %d", n, maxEntries)
	}
}

func TestMeterTellsTheLastSecond(t *testing.T) {
	var m meter
	now := epoch
	for range 50 {
		m.add(now, 1000)
		now = now.Add(20 * time.Millisecond)
	}
	if got := m.perSecond(now); got < 45_000 || got > 50_000 {
		t.Fatalf("%d bytes/s, want about 50,000", got)
	}
	if got := m.perSecond(now.Add(2 * time.Second)); got != 0 {
		t.Fatalf("%d bytes/s two seconds later, want none", got)
	}
}
