package plain_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"hawser/transport"
	"hawser/transport/plain"
)

// TestFloodFromOneSource: the flood evicts itself, and clients get in from elsewhere and from the same source.
func TestFloodFromOneSource(t *testing.T) {
	inSite(t, plain.Config{Strangers: 50, PerSource: 10}, func(t *testing.T, s *site) {
		for range 200 {
			s.dial("203.0.113.1")
		}
		elsewhere, beside := s.dial("203.0.113.9"), s.dial("203.0.113.1")
		elsewhere.write(opening())
		beside.write(opening())
		for range 2 {
			(<-s.seen).Attach(func(in transport.Input) { in.Release() }).Abort(0)
		}
		if st := s.ln.Stats(); st.Open > 11 || st.EvictedSource < 190 || st.EvictedTotal != 0 || st.Silent != 0 {
			t.Fatalf("%+v", st)
		}
	})
}

// TestFloodFromManySources: whoever has most loses first, and an honest client gets in.
func TestFloodFromManySources(t *testing.T) {
	inSite(t, plain.Config{Strangers: 50, PerSource: 10}, func(t *testing.T, s *site) {
		for i := range 400 {
			s.dial(fmt.Sprintf("203.0.113.%d", 1+i%20))
		}
		r := s.dial("198.51.100.200")
		r.write(opening())
		<-s.seen
		if st := s.ln.Stats(); st.Open != 50 || st.EvictedTotal == 0 {
			t.Fatalf("%+v", st)
		}
	})
}

// TestSilentGoFirst: a client in its handshake is not evicted for the sake of a flood that says nothing.
func TestSilentGoFirst(t *testing.T) {
	inSite(t, plain.Config{Strangers: 50, PerSource: 10}, func(t *testing.T, s *site) {
		r := s.dial("203.0.113.1")
		r.write(opening())
		in := <-s.seen
		for range 100 {
			s.dial("203.0.113.1")
		}
		e := &end{}
		rig := newRig(t)
		defer rig.closeAll()
		rig.ends = append(rig.ends, e)
		e.sub = in.Attach(rig.post(e))
		rig.pass(time.Second)
		if e.has(transport.EventClosed) {
			t.Fatal(e.find(transport.EventClosed).Err)
		}
		t.Log("# but it is for the sake of others that speak")
		for range 11 {
			s.dial("203.0.113.1").write(opening())
			time.Sleep(20 * time.Millisecond)
		}
		rig.until("evicted", time.Second, func() bool { return e.has(transport.EventClosed) })
	})
}

// crowd is connections of a source each, n of them, from the i-th on; each says first.
func (s *site) crowd(i, n int, first string) {
	s.t.Helper()
	for ; n > 0; i, n = i+1, n-1 {
		s.dial(fmt.Sprintf("203.0.%d.%d", i/250, 1+i%250)).write(first)
	}
	time.Sleep(100 * time.Millisecond)
}

// wantOpen wants strangers to be there, or to be evicted.
func (s *site) wantOpen(want bool, rs ...*raw) {
	s.t.Helper()
	for i, r := range rs {
		if _, err := r.sock.TryRead(make([]byte, 1)); errors.Is(err, plain.ErrAgain) != want {
			s.t.Errorf("client's connection %d: %v; open: want %v", i, err, want)
		}
	}
}

// TestFloodFromAsManySourcesDoesNotPickAClient: a client that establishes two sessions is not the source that has most.
func TestFloodFromAsManySourcesDoesNotPickAClient(t *testing.T) {
	for _, first := range []string{"", opening()} {
		inSite(t, plain.Config{Strangers: 50, PerSource: 16}, func(_ *testing.T, s *site) {
			s.crowd(0, 48, first)
			one, two := s.dial("198.51.100.1"), s.dial("198.51.100.1")
			one.write(first)
			two.write(first)
			s.crowd(48, 48, first)
			s.wantOpen(true, one, two)
			s.crowd(96, 2, first) // as many as there is room for have come since
			s.wantOpen(false, one, two)
		})
	}
}

// TestKindsDoNotPushEachOtherOut: whoever holds the table with one kind of stranger loses that kind to newcomers.
func TestKindsDoNotPushEachOtherOut(t *testing.T) {
	kinds := [...]string{"", opening()}
	for k, flood := range kinds {
		inSite(t, plain.Config{Strangers: 50, PerSource: 16}, func(_ *testing.T, s *site) {
			r := s.dial("198.51.100.1")
			r.write(kinds[1-k])
			s.crowd(0, 500, flood)
			s.wantOpen(true, r)
		})
	}
}
