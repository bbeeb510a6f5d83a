package tcp

import (
	"math/rand"
	"net/netip"
	"testing"
	"time"

	"hawser/cc"
	"hawser/transport/wire"
)

// The simulation: two machines, a path of two links between them, and virtual time. Everything that leaves a machine is
// turned into bytes and back, cut into packets by its MSS as offload would do it.

var (
	clientAddr = netip.MustParseAddrPort("192.0.2.1:40000")
	serverAddr = netip.MustParseAddrPort("198.51.100.7:443")
	startTime  = time.Unix(1_700_000_000, 0)
)

// path is what a link does to packets.
type path struct {
	delay, jitter time.Duration
	rate          int // bytes/s; 0: no limit
	queue         int // bytes that wait at most; 0: no limit
	loss, dup     float64
	reorder       float64 // held back by up to held
	held          time.Duration
	mtu           int                      // packets above it vanish; 0: none
	split         bool                     // cuts payloads in two now and then
	coalesce      bool                     // joins neighbouring packets (GRO)
	mark          float64                  // sets CE instead of dropping
	eat           func(*wire.Segment) bool // true: this one is lost
	late          func() time.Duration     // by which a segment with all its packets comes later than it should
}

// packet is on its way.
type packet struct {
	at    time.Time
	order int
	b     []byte
	to    *host
}

// memory is a counted buffer.
type memory struct {
	w    *world
	refs int
}

func (c *memory) Retain() {
	if c.refs <= 0 {
		panic("retained after release")
	}
	c.refs++
}

func (c *memory) Release() {
	if c.refs--; c.refs == 0 {
		c.w.live--
	} else if c.refs < 0 {
		panic("released twice")
	}
}

func (w *world) memory() *memory {
	w.live++
	return &memory{w: w, refs: 1}
}

// host is a machine and its application.
type host struct {
	w       *world
	name    string
	m       *Machine
	l       *Listener
	cc      *reno
	send    int64 // bytes to be sent in all
	put     int64 // appended so far
	window  int   // bytes that may wait in the machine
	got     int64
	reads   int // bytes read a step at most; 0: all
	paused  bool
	events  map[EventKind]int
	err     error
	closed  bool
	fin     bool
	link    path
	freeAt  time.Time // when the link has sent what waits
	log     []string
	emitted int
}

type world struct {
	t       testing.TB
	rng     *rand.Rand
	now     time.Time
	a, b    *host
	packets []packet
	order   int
	live    int // buffers that somebody holds
	steps   int
	check   bool
	pin     int // what a received buffer claims to pin
}

// octet is byte i of the stream of a host: both ends know it.
func octet(name string, i int64) byte { return byte(i*7+i>>8*13+i>>16) ^ name[0] }

func testConfig(local, remote netip.AddrPort, c **reno) Config {
	return Config{
		Local: local, Remote: remote, Secret: [32]byte{1, 2, 3}, MSL: time.Minute,
		Control: func(cfg cc.Config) cc.Controller {
			*c = newReno(cfg)
			return *c
		},
	}
}

// newWorld makes a client that has dialled and a listener. tune changes their configurations before.
func newWorld(t testing.TB, seed int64, link path, tune func(client, server *Config)) *world {
	w := &world{t: t, rng: rand.New(rand.NewSource(seed)), now: startTime, check: true, pin: 2048}
	w.a = &host{w: w, name: "a", window: 1 << 20, link: link, events: map[EventKind]int{}}
	w.b = &host{w: w, name: "b", window: 1 << 20, link: link, events: map[EventKind]int{}}
	ca, cb := testConfig(clientAddr, serverAddr, &w.a.cc), testConfig(netip.AddrPort{}, netip.AddrPort{}, &w.b.cc)
	if tune != nil {
		tune(&ca, &cb)
	}
	var err error
	if w.a.m, err = Dial(ca, w.now); err != nil {
		t.Fatal(err)
	}
	if w.b.l, err = Listen(ListenerConfig{Conn: cb}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) other(h *host) *host {
	if h == w.a {
		return w.b
	}
	return w.a
}

// receive hands a packet to its host.
func (w *world) receive(p packet) {
	h := p.to
	var s wire.Segment
	if n := s.Consume(p.b, false); n != len(p.b) {
		w.t.Fatalf("%s: packet of %d bytes came as %d", h.name, len(p.b), n)
	}
	mem := w.memory()
	if s.Len > 0 {
		s.Owner, s.Pinned = mem, w.pin
	}
	if h.m != nil {
		h.m.Receive(w.now, &s)
	} else if h.l != nil {
		h.l.Receive(w.now, &s)
		if m, ok := h.l.Accept(); ok {
			h.m = m
		}
	}
	mem.Release()
	if mem.refs == 0 && s.Len > 0 {
		clear(p.b) // what was not retained is reused at once
	}
	w.invariants(h)
}

// turn is one turn of a host's loop.
func (w *world) turn(h *host) {
	if h.l != nil {
		h.l.Advance(w.now)
		var s wire.Segment
		for h.l.Emit(w.now, &s) {
			w.transmit(h, &s)
		}
	}
	if h.m == nil {
		return
	}
	h.m.Advance(w.now)
	w.application(h)
	var s wire.Segment
	for n := 0; h.m.Emit(w.now, &s); n++ {
		if n > 10000 {
			w.t.Fatalf("%s: Emit does not end: %v", h.name, &s)
		}
		w.invariants(h)
		w.transmit(h, &s)
		w.application(h)
	}
	w.invariants(h)
}

// application reads, writes and closes.
func (w *world) application(h *host) {
	for {
		e, ok := h.m.Poll()
		if !ok {
			break
		}
		h.events[e.Kind]++
		switch e.Kind {
		case EventClosed:
			h.closed, h.err = true, e.Err
		case EventFin:
			h.fin = true
		}
	}
	left := h.reads
	for !h.paused && (h.reads == 0 || left > 0 || h.closed) {
		r, ok := h.m.Next(w.now)
		if !ok {
			break
		}
		if r.Offset != h.got {
			w.t.Fatalf("%s: got offset %d, want %d", h.name, r.Offset, h.got)
		}
		from := w.other(h).name
		for i, b := range r.B {
			if b != octet(from, h.got+int64(i)) {
				w.t.Fatalf("%s: byte %d is wrong", h.name, h.got+int64(i))
			}
		}
		h.got += int64(len(r.B))
		left -= len(r.B)
		r.Release()
	}
	for h.put < h.send && h.m.Queued() < h.window && h.m.State() != Closed {
		n := min(h.send-h.put, int64(1+w.rng.Intn(20000)))
		b := make([]byte, n)
		for i := range b {
			b[i] = octet(h.name, h.put+int64(i))
		}
		if err := h.m.Append(b, w.memory()); err != nil {
			w.live--
			break
		}
		h.put += n
	}
	if h.put == h.send && h.m.State() >= Established {
		h.m.CloseWrite()
	}
}

// step goes to the next thing that happens; false: nothing does before until.
func (w *world) step(until time.Time) bool {
	at := until
	deadline := func(d time.Time) {
		if !d.IsZero() && d.Before(at) {
			at = d
		}
	}
	for _, h := range []*host{w.a, w.b} {
		if h.m != nil {
			deadline(h.m.Deadline())
		}
		if h.l != nil {
			deadline(h.l.Deadline())
		}
	}
	if p := w.next(); p != nil {
		deadline(p.at)
	}
	if at.Equal(until) {
		w.now = until
		return false
	}
	if at.After(w.now) {
		w.now = at
		w.steps = 0
	} else if w.steps++; w.steps > 20000 {
		w.t.Fatalf("time stands still: %v, %v", w.a.m.Info(), w.a.m.timer())
	}
	for p := w.next(); p != nil && !p.at.After(w.now); p = w.next() {
		taken := *p
		w.packets = w.packets[:len(w.packets)-1]
		if taken.to.link.coalesce {
			taken.b = w.join(taken)
		}
		w.receive(taken)
	}
	w.turn(w.a)
	w.turn(w.b)
	return true
}

// run goes on until both ends are closed or limit has passed.
func (w *world) run(limit time.Duration) {
	w.turn(w.a)
	w.turn(w.b)
	end := w.now.Add(limit)
	for !(w.a.closed && (w.b.closed || w.b.m == nil)) && w.step(end) {
	}
}

// until goes on until done says so; the test fails after limit.
func (w *world) until(what string, limit time.Duration, done func() bool) {
	w.t.Helper()
	w.turn(w.a)
	w.turn(w.b)
	end := w.now.Add(limit)
	for !done() {
		if !w.step(end) {
			w.dump()
			w.t.Fatalf("%s: did not happen within %v", what, limit)
		}
	}
}

// dump prints what has happened last.
func (w *world) dump() {
	for _, h := range []*host{w.a, w.b} {
		if h.m == nil {
			continue
		}
		w.t.Logf("%s: %+v put=%d got=%d closed=%v %v", h.name, h.m.Info(), h.put, h.got, h.closed, h.err)
		for _, line := range h.log[max(0, len(h.log)-25):] {
			w.t.Log(h.name, line)
		}
	}
}

// wantWhole checks that both streams came whole, both ends closed in order, and nobody holds memory.
func (w *world) wantWhole() {
	w.t.Helper()
	for _, h := range []*host{w.a, w.b} {
		o := w.other(h)
		if !h.closed || h.err != nil || h.got != o.send {
			w.dump()
			w.t.Fatalf("%s: closed=%v err=%v, got %d of %d bytes", h.name, h.closed, h.err, h.got, o.send)
		}
	}
	if w.live != 0 {
		w.t.Errorf("%d buffers are still held", w.live)
	}
}
