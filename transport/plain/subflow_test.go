package plain_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"hawser/transport"
	"hawser/transport/plain/plaintest"
	"hawser/transport/wire"
)

func noise(n int) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(b)
	return b
}

// sender gives a subflow the bytes of b as it takes them.
func sender(b []byte) func(time.Time, *end) {
	sent := 0
	return func(_ time.Time, e *end) {
		for sent < len(b) {
			n := e.sub.Send(wire.Mapping{DSN: uint64(sent)}, b[sent:])
			if n <= 0 {
				return
			}
			sent += n
		}
	}
}

// TestTransfer sends both ways at once, over links that cut writes and reads at odd places and lose segments.
func TestTransfer(t *testing.T) {
	link := plaintest.LinkConfig{Rate: 50e6, Delay: 10 * time.Millisecond}
	lossy := link
	lossy.Loss = 0.02
	for _, c := range []struct {
		name string
		cfg  plaintest.Config
		link plaintest.LinkConfig
		size int
	}{
		{"whole writes", plaintest.Config{}, link, 2 << 20},
		{"writes of 7 bytes", plaintest.Config{MaxWrite: 7}, plaintest.LinkConfig{Delay: time.Millisecond}, 20 << 10},
		{"writes of 1001 bytes", plaintest.Config{MaxWrite: 1001}, link, 300 << 10},
		{"reads of 1 byte", plaintest.Config{MaxRead: 1}, link, 40 << 10},
		{"reads of 999 bytes", plaintest.Config{MaxRead: 999}, link, 1 << 20},
		{"loss", plaintest.Config{Seed: 3}, lossy, 1 << 20},
		{"loss, reno", plaintest.Config{Seed: 4, Congestion: "reno"}, lossy, 1 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				o, _ := twin(t, c.cfg, c.link)
				client, server := r.pair(o)
				want := noise(c.size)
				client.onTurn, server.onTurn = sender(want), sender(want)
				r.until("all bytes", 5*time.Minute, func() bool {
					return len(client.got) == c.size && len(server.got) == c.size
				})
				for _, e := range r.ends {
					if !bytes.Equal(e.got, want) {
						t.Errorf("%s received other bytes", e.name)
					}
					checkMaps(t, e)
				}
				r.until("acknowledged", time.Second, func() bool {
					return client.acks[len(client.acks)-1].Offset == uint64(c.size)
				})
				if w := client.sub.State().Written; w != uint64(c.size) {
					t.Errorf("written is %d of %d", w, c.size)
				}
			})
		})
	}
}

// checkMaps checks that mappings continue each other, at subflow and at data level.
func checkMaps(t *testing.T, e *end) {
	t.Helper()
	next := uint64(0)
	for _, m := range e.maps {
		if m.DSN != next || m.SSN != uint32(next+1) {
			t.Fatalf("%s: %v does not start at byte %d", e.name, m, next)
		}
		next += uint64(m.Len)
	}
}

func TestLoneFinAndHalfClose(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		o, _ := twin(t, plaintest.Config{}, plaintest.LinkConfig{Rate: 10e6, Delay: 20 * time.Millisecond})
		client, server := r.pair(o)
		if n := client.sub.Send(wire.Mapping{DSN: 7}, []byte("abc")); n != 3 {
			t.Fatalf("took %d of 3", n)
		}
		if n := client.sub.Send(wire.Mapping{DSN: 10, Fin: true}, nil); n != 0 {
			t.Fatalf("lone DATA_FIN: %d", n)
		}
		client.sub.Close()
		if n := client.sub.Send(wire.Mapping{DSN: 11}, []byte("x")); n != -1 {
			t.Fatalf("took %d after Close", n)
		}
		r.until("end", time.Second, func() bool { return server.has(transport.EventFin) })
		want := []wire.Mapping{{DSN: 7, SSN: 1, Len: 3}, {DSN: 10, Fin: true}}
		if len(server.maps) != 2 || server.maps[0] != want[0] || server.maps[1] != want[1] {
			t.Fatalf("mappings %v, want %v", server.maps, want)
		}
		t.Log("# the other direction still works")
		if n := server.sub.Send(wire.Mapping{DSN: 1, Fin: true}, []byte("reply")); n != 5 {
			t.Fatalf("took %d", n)
		}
		server.sub.Close()
		r.until("both ends", time.Second, func() bool {
			return client.has(transport.EventClosed) && server.has(transport.EventClosed)
		})
		if string(client.got) != "reply" || !client.maps[0].Fin {
			t.Fatalf("got %q %v", client.got, client.maps)
		}
		for _, e := range r.ends {
			if err := e.find(transport.EventClosed).Err; err != nil {
				t.Errorf("%s: %v", e.name, err)
			}
		}
	})
}

// TestSignalsDoNotPileUp is about a peer that makes its session answer and reads nothing.
func TestSignalsDoNotPileUp(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		o, _ := twin(t, plaintest.Config{}, plaintest.LinkConfig{Rate: 10e6, Delay: 20 * time.Millisecond})
		client, server := r.pair(o)
		for range 1000 {
			server.sub.Signal(wire.MPPrio{Backup: true})
		}
		r.until("the end", time.Second, func() bool {
			return server.has(transport.EventClosed) && client.has(transport.EventFin)
		})
		heard := client.options()
		if len(heard) > 300 {
			t.Errorf("%d signals of 1000 were kept", len(heard))
		}
		if last := heard[len(heard)-1]; last != (wire.MPTCPRst{Reason: wire.ResetProtocol}) {
			t.Errorf("the last signal is %v, want the reason", last)
		}
	})
}
