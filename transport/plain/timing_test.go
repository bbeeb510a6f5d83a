package plain_test

import (
	"bytes"
	"errors"
	"syscall"
	"testing"
	"time"

	"hawser/transport"
	"hawser/transport/plain/plaintest"
	"hawser/transport/wire"
)

const oneWay = 20 * time.Millisecond

func TestAckTiming(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes int
		push  bool
		held  time.Duration
	}{
		{"one byte waits 5 ms", 1, false, 5 * time.Millisecond},
		{"16 kB are told at once", 16 << 10, false, 0},
		{"pushed", 1, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				o, _ := twin(t, plaintest.Config{}, plaintest.LinkConfig{Delay: oneWay})
				client, server := r.pair(o)
				r.pass(200 * time.Millisecond) // a longer pause would end with a padded write
				server.onEach = func(e *end, ev transport.Event) {
					if ev.Kind == transport.EventData && c.push {
						e.sub.Ack(slot, true)
					}
				}
				client.acks = nil
				start := time.Now()
				client.sub.Send(wire.Mapping{DSN: 1}, noise(c.bytes))
				r.until("acknowledged", time.Second, func() bool {
					return len(client.acks) > 0 && client.acks[len(client.acks)-1].Offset == uint64(c.bytes)
				})
				a := client.acks[len(client.acks)-1]
				took := time.Since(start)
				if c.bytes > 1 {
					took = 2*oneWay + a.Delay // the congestion window has its say as well
				}
				if took != 2*oneWay+c.held || a.Delay != c.held {
					t.Fatalf("after %v, held for %v; want %v and %v", took, a.Delay, 2*oneWay+c.held, c.held)
				}
			})
		})
	}
}

func TestAckNewestWins(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		o, _ := twin(t, plaintest.Config{}, plaintest.LinkConfig{Delay: oneWay})
		client, server := r.pair(o)
		r.pass(time.Second)
		client.events = nil
		server.sub.Ack(transport.DataAck{Ack: 10, Wide: true, Window: 5}, true)
		server.sub.Ack(transport.DataAck{Ack: 11, Wide: true, Window: 6}, true)
		r.pass(time.Second)
		var got []transport.DataAck
		for _, ev := range client.events {
			if ev.Kind == transport.EventDataAck {
				got = append(got, ev.DataAck)
			}
		}
		if len(got) != 1 || got[0] != (transport.DataAck{Ack: 11, Wide: true, Window: 6}) {
			t.Fatalf("told %+v", got)
		}
	})
}

func TestProbe(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		o, _ := twin(t, plaintest.Config{}, plaintest.LinkConfig{Delay: oneWay})
		client, _ := r.pair(o)
		client.sub.Send(wire.Mapping{DSN: 1}, []byte("x"))
		client.sub.Probe(time.Now(), false)
		client.sub.Probe(time.Now(), false) // one at a time: no second answer
		r.until("answer", time.Second, func() bool { return client.has(transport.EventPong) })
		if rtt := client.find(transport.EventPong).Ack.RTT; rtt != 2*oneWay {
			t.Errorf("round trip %v", rtt)
		}
		t.Log("# the PING fetched the acknowledgement of the byte before it, and it came first")
		if a := client.acks[len(client.acks)-1]; a.Offset != 1 || client.events[len(client.events)-1].Kind != transport.EventPong {
			t.Errorf("acknowledged %d, last event %+v", a.Offset, client.events[len(client.events)-1])
		}
		r.pass(time.Second)
		pongs := 0
		for _, ev := range client.events {
			if ev.Kind == transport.EventPong {
				pongs++
			}
		}
		if pongs != 1 {
			t.Errorf("%d answers", pongs)
		}
	})
}

// TestNothingBeforeAck: until the session has said what to acknowledge, no ACK leaves, whatever arrives.
func TestNothingBeforeAck(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		o, _ := twin(t, plaintest.Config{}, plaintest.LinkConfig{Delay: oneWay})
		client, server := r.end("client"), r.end("server")
		incoming := make(chan transport.Incoming, 1)
		go func() {
			in, _ := o.acceptor.Accept()
			incoming <- in
			r.box.put(posted{server, nop{}})
		}()
		client.sub = o.carrier.Open(o.path, r.post(client))
		client.sub.Signal(capable)
		r.until("opened", time.Second, func() bool { return len(incoming) > 0 })
		server.sub = (<-incoming).Attach(r.post(server))
		server.sub.Signal(answer)
		client.sub.Signal(third)
		r.pass(time.Second)
		if client.has(transport.EventAck) || len(server.options()) != 1 {
			t.Fatalf("client %+v, server %+v", client.events, server.events)
		}
	})
}

// TestLateScheduling: on a slow link little waits in the system, and the link is still full.
func TestLateScheduling(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		const rate, size = 20e6, 20 << 20
		o, _ := twin(t, plaintest.Config{}, plaintest.LinkConfig{Rate: rate, Delay: oneWay})
		client, server := r.pair(o)
		worst := 0
		send := sender(noise(size))
		client.onTurn = func(now time.Time, e *end) {
			send(now, e)
			worst = max(worst, e.sub.State().Unsent)
		}
		start := time.Now()
		r.until("all bytes", time.Minute, func() bool { return len(server.got) == size })
		if worst > 48<<10 {
			t.Errorf("%d bytes waited in the system", worst)
		}
		ideal := time.Duration(size * 8 / rate * float64(time.Second))
		if took := time.Since(start); took > ideal*115/100 {
			t.Errorf("took %v, the link alone %v", took, ideal)
		}
	})
}

// TestPinnedMemory: bytes are the sender's again exactly when Written has passed them.
func TestPinnedMemory(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		const size = 200 << 10
		o, _ := twin(t, plaintest.Config{MaxWrite: 1000}, plaintest.LinkConfig{Rate: 50e6, Delay: time.Millisecond})
		client, server := r.pair(o)
		want := noise(size)
		own := bytes.Clone(want)
		send, seen := sender(own), false
		client.onTurn = func(now time.Time, e *end) {
			w := e.sub.State().Written
			clear(own[:w])
			send(now, e)
			seen = seen || w > 0 && w < size
		}
		r.until("all bytes", time.Minute, func() bool { return len(server.got) == size })
		if !bytes.Equal(server.got, want) || !seen {
			t.Fatalf("other bytes arrived, or never in between (%v)", seen)
		}
	})
}

func TestBlackHole(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		const size = 4 << 20
		o, link := twin(t, plaintest.Config{SendBuffer: 128 << 10}, plaintest.LinkConfig{Rate: 20e6, Delay: oneWay})
		client, server := r.pair(o)
		client.onTurn = sender(noise(size))
		r.pass(500 * time.Millisecond)
		link.SetDown(plaintest.Up, true)
		r.pass(100 * time.Millisecond)
		before := len(server.got)
		r.pass(2 * time.Second)
		if len(server.got) != before || client.has(transport.EventClosed) {
			t.Fatalf("%d bytes more, %+v", len(server.got)-before, client.find(transport.EventClosed))
		}
		if room := client.sub.State().Room; room != 0 {
			t.Fatalf("room for %d in a black hole", room)
		}
		link.SetDown(plaintest.Both, false)
		r.until("all bytes", time.Minute, func() bool { return len(server.got) == size })
		if !bytes.Equal(server.got, noise(size)) {
			t.Fatal("other bytes")
		}
	})
}

func TestAbortInBlackHole(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		o, link := twin(t, plaintest.Config{SendBuffer: 32 << 10}, plaintest.LinkConfig{Rate: 20e6, Delay: oneWay})
		client, server := r.pair(o)
		client.onTurn = sender(noise(1 << 20))
		r.pass(200 * time.Millisecond)
		link.SetDown(plaintest.Up, true)
		r.pass(3 * time.Second)
		client.sub.Abort(wire.ResetPerformance)
		r.pass(0)
		if !client.has(transport.EventClosed) || client.sub.State().Room != 0 {
			t.Fatal("still open")
		}
		got := len(server.got)
		link.SetDown(plaintest.Both, false)
		r.pass(2 * time.Minute)
		if len(server.got) != got {
			t.Fatalf("%d bytes were sent again for nothing when the link came back", len(server.got)-got)
		}
	})
}

func TestAbortTellsTheReason(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		o, _ := twin(t, plaintest.Config{}, plaintest.LinkConfig{Rate: 20e6, Delay: oneWay})
		client, server := r.pair(o)
		server.onTurn = sender(noise(1 << 20)) // bytes under way to whoever aborts
		r.pass(200 * time.Millisecond)
		client.sub.Signal(wire.MPFastclose{Key: 7})
		client.sub.Abort(wire.ResetOutstanding)
		r.until("the end", time.Second, func() bool { return server.has(transport.EventFin) })
		o1 := server.options()
		want := []wire.Option{wire.MPFastclose{Key: 7}, wire.MPTCPRst{Reason: wire.ResetOutstanding}}
		if len(o1) != 3 || o1[1] != want[0] || o1[2] != want[1] {
			t.Fatalf("told %v, want %v", o1, want)
		}
	})
}

func TestKilled(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		o, link := twin(t, plaintest.Config{}, plaintest.LinkConfig{Rate: 20e6, Delay: oneWay})
		client, server := r.pair(o)
		client.onTurn = sender(noise(1 << 20))
		r.pass(100 * time.Millisecond)
		link.Reset()
		r.until("the end", time.Second, func() bool {
			return client.has(transport.EventClosed) && server.has(transport.EventClosed)
		})
		for _, e := range r.ends {
			if err := e.find(transport.EventClosed).Err; !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: %v", e.name, err)
			}
			if st := e.sub.State(); st.Status != transport.StatusClosed || st.Room != 0 {
				t.Errorf("%s: %+v", e.name, st)
			}
		}
	})
}

func TestDialIsBoundedAndCancelled(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		o, link := twin(t, plaintest.Config{}, plaintest.LinkConfig{Delay: oneWay})
		link.SetDown(plaintest.Both, true)
		start := time.Now()
		e := r.end("client")
		e.sub = o.carrier.Open(o.path, r.post(e))
		r.until("given up", time.Minute, func() bool { return e.has(transport.EventClosed) })
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v", took)
		}
		t.Log("# cancelled")
		e = r.end("client")
		e.sub = o.carrier.Open(o.path, r.post(e))
		r.pass(100 * time.Millisecond)
		e.sub.Abort(wire.ResetUnspecified)
		r.pass(0)
		if !e.has(transport.EventClosed) {
			t.Error("Abort had no effect")
		}
		t.Log("# nobody listens")
		link.SetDown(plaintest.Both, false)
		_ = o.acceptor.Close()
		e = r.end("client")
		e.sub = o.carrier.Open(o.path, r.post(e))
		r.until("refused", time.Second, func() bool { return e.has(transport.EventClosed) })
		if err := e.find(transport.EventClosed).Err; !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error(err)
		}
	})
}
