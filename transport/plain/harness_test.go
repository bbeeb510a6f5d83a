package plain_test

import (
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawser/transport"
	"hawser/transport/plain"
	"hawser/transport/plain/plaintest"
	"hawser/transport/wire"
)

// inbox is the way from helper goroutines to the test, which is the loop of all its subflows.
type inbox struct {
	mu   sync.Mutex
	in   []posted
	wake chan struct{}
}

type posted struct {
	e  *end
	in transport.Input
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

func (b *inbox) put(p posted) {
	b.mu.Lock()
	b.in = append(b.in, p)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *inbox) take() []posted {
	b.mu.Lock()
	defer b.mu.Unlock()
	in := b.in
	b.in = nil
	return in
}

// end is one subflow under test and what it has told.
type end struct {
	name   string
	sub    transport.Subflow
	events []transport.Event
	got    []byte // payload received
	maps   []wire.Mapping
	acks   []transport.Ack
	onTurn func(now time.Time, e *end)
	onEach func(e *end, ev transport.Event)
}

// rig drives subflows: one loop for all.
type rig struct {
	t    testing.TB
	box  *inbox
	ends []*end
}

func newRig(t testing.TB) *rig { return &rig{t: t, box: newInbox()} }

// inBubble runs a test in virtual time, and lets every helper goroutine end.
func inBubble(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		defer time.Sleep(time.Minute) // virtual: connections linger before they let go
		defer r.closeAll()
		f(t, r)
	})
}

func (r *rig) end(name string) *end {
	e := &end{name: name}
	r.ends = append(r.ends, e)
	return e
}

func (r *rig) post(e *end) transport.Post {
	return func(in transport.Input) { r.box.put(posted{e, in}) }
}

// turn is one turn of the loop.
func (r *rig) turn() {
	now := time.Now()
	for _, p := range r.box.take() {
		if _, wake := p.in.(nop); !wake {
			p.e.sub.Handle(now, p.in)
		}
	}
	for _, e := range r.ends {
		if e.sub == nil {
			continue
		}
		e.sub.Advance(now)
		e.drain()
		if e.onTurn != nil {
			e.onTurn(now, e)
		}
		_ = e.sub.Flush(now) // an error is in EventClosed as well
		e.drain()
	}
}

func (e *end) drain() {
	for {
		ev, ok := e.sub.Poll()
		if !ok {
			return
		}
		switch ev.Kind {
		case transport.EventData:
			e.got = append(e.got, ev.Data.B...)
			e.maps = append(e.maps, ev.Map)
			ev.Data.Release()
		case transport.EventAck:
			e.acks = append(e.acks, ev.Ack)
		}
		e.events = append(e.events, ev)
		if e.onEach != nil {
			e.onEach(e, ev)
		}
	}
}

// until runs turns until cond holds; it fails after limit.
func (r *rig) until(why string, limit time.Duration, cond func() bool) {
	r.t.Helper()
	stop := time.Now().Add(limit)
	for {
		r.turn()
		if cond() {
			return
		}
		now := time.Now()
		if !now.Before(stop) {
			r.t.Fatalf("%s: not within %v", why, limit)
		}
		wake := stop
		for _, e := range r.ends {
			if e.sub == nil {
				continue
			}
			if d := e.sub.Deadline(); !d.IsZero() && d.Before(wake) {
				wake = d
			}
		}
		timer := time.NewTimer(wake.Sub(now))
		select {
		case <-r.box.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// pass runs turns for a time.
func (r *rig) pass(d time.Duration) {
	stop := time.Now().Add(d)
	r.until("time to pass", d, func() bool { return !time.Now().Before(stop) })
}

func (e *end) has(kind transport.EventKind) bool { return e.find(kind) != nil }

func (e *end) find(kind transport.EventKind) *transport.Event {
	for i := range e.events {
		if e.events[i].Kind == kind {
			return &e.events[i]
		}
	}
	return nil
}

func (e *end) options() (out []wire.Option) {
	for _, ev := range e.events {
		if ev.Kind == transport.EventOption {
			out = append(out, ev.Option)
		}
	}
	return out
}

var (
	capable = wire.MPCapable{Stage: wire.StageSYN, Version: 1, SHA256: true}
	answer  = wire.MPCapable{Stage: wire.StageSYNACK, Version: 1, SHA256: true, SenderKey: 2}
	third   = wire.MPCapable{Stage: wire.StageACK, Version: 1, SHA256: true, SenderKey: 1, ReceiverKey: 2}
	slot    = transport.DataAck{Ack: 1, Wide: true, Window: 1 << 20}
)

// opener is what a pair is made of.
type opener struct {
	carrier  transport.Carrier
	acceptor transport.Acceptor
	path     transport.Path
}

// twin is a network with one link.
func twin(t testing.TB, c plaintest.Config, l plaintest.LinkConfig) (opener, *plaintest.Link) {
	n := plaintest.New(c)
	link := n.AddLink("dsl", l)
	a := n.Acceptor(plain.Config{})
	t.Cleanup(func() { _ = a.Close() })
	return opener{n.Carrier(), a, transport.Path{Uplink: "dsl", Remote: plaintest.Server}}, link
}

// loopback is the kernel's TCP on this machine.
func loopback(t testing.TB, cfg plain.Config) opener {
	cfg.Address = "127.0.0.1:0"
	a, err := plain.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return opener{plain.NewCarrier(""), a, transport.Path{Uplink: "lo", Local: netip.MustParseAddr("127.0.0.1"), Remote: a.Addr()}}
}

// pair opens a subflow and takes it through the handshake.
func (r *rig) pair(o opener) (client, server *end) {
	r.t.Helper()
	client, server = r.end("client"), r.end("server")
	incoming := make(chan transport.Incoming, 1)
	go func() {
		if in, err := o.acceptor.Accept(); err == nil {
			incoming <- in
			r.box.put(posted{server, nop{}})
		}
	}()
	client.sub = o.carrier.Open(o.path, r.post(client))
	client.sub.Signal(capable)
	r.until("the first options", 5*time.Second, func() bool { return len(incoming) > 0 || client.has(transport.EventClosed) })
	in := take(r.t, incoming, client)
	if len(in.Options) != 1 || in.Options[0] != wire.Option(capable) {
		r.t.Fatalf("first options are %v", in.Options)
	}
	server.sub = in.Attach(r.post(server))
	server.sub.Signal(answer)
	r.until("the server's key", 5*time.Second, func() bool { return len(client.options()) == 1 })
	client.sub.Signal(third)
	r.until("the client's key", 5*time.Second, func() bool { return len(server.options()) == 1 })
	in.Authenticated()
	server.sub.Ack(slot, true)
	r.until("established", 5*time.Second, func() bool { return client.has(transport.EventDataAck) })
	client.sub.Ack(slot, false)
	return client, server
}

func take(t testing.TB, c chan transport.Incoming, client *end) transport.Incoming {
	t.Helper()
	select {
	case in := <-c:
		return in
	default:
		t.Fatalf("nothing came: %v", client.events)
		return transport.Incoming{}
	}
}

// nop wakes the loop.
type nop struct{}

func (nop) Release() {}

// closeAll ends all subflows. In a bubble their goroutines then need virtual time to let go of the sockets.
func (r *rig) closeAll() {
	for _, e := range r.ends {
		if e.sub != nil {
			e.sub.Abort(wire.ResetUnspecified)
		}
	}
	r.turn()
}
