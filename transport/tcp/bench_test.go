package tcp

import (
	"testing"
	"time"

	"hawser/cc"
	"hawser/transport/wire"
)

// nobody counts nothing: it stands for a pooled buffer.
type nobody struct{}

func (nobody) Retain()  {}
func (nobody) Release() {}

// connected makes two machines that have shaken hands, with windows that never limit.
func connected(t testing.TB) (a, b *Machine, now time.Time) {
	now = startTime
	control := func(c cc.Config) cc.Controller {
		r := newReno(c)
		r.fixed = 4 << 20
		return r
	}
	cfg := Config{Local: clientAddr, Remote: serverAddr, Control: control, ReceiveBuffer: 8 << 20}
	a, err := Dial(cfg, now)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(ListenerConfig{Conn: cfg})
	if err != nil {
		t.Fatal(err)
	}
	var s wire.Segment
	a.Emit(now, &s)
	l.Receive(now, &s)
	now = now.Add(100 * time.Microsecond)
	l.Emit(now, &s)
	a.Receive(now, &s)
	a.Emit(now, &s)
	l.Receive(now, &s)
	b, ok := l.Accept()
	if !ok {
		t.Fatal("no connection")
	}
	return a, b, now
}

// turnOver moves n bytes from a to b, acknowledgements included.
func turnOver(a, b *Machine, now *time.Time, payload []byte, s *wire.Segment) (got int) {
	a.Append(payload, nobody{})
	*now = now.Add(50 * time.Microsecond)
	for a.Emit(*now, s) {
		s.Owner, s.Pinned = nobody{}, s.Len
		b.Receive(*now, s)
	}
	for {
		r, ok := b.Next(*now)
		if !ok {
			break
		}
		got += len(r.B)
		r.Release()
	}
	drain(b)
	*now = now.Add(50 * time.Microsecond)
	b.Advance(*now)
	for b.Emit(*now, s) {
		a.Receive(*now, s)
	}
	a.Advance(*now)
	drain(a)
	a.Deadline()
	return got
}

func drain(m *Machine) {
	for {
		if _, ok := m.Poll(); !ok {
			return
		}
	}
}

// BenchmarkSuperSegments moves a super-segment a turn.
func BenchmarkSuperSegments(b *testing.B) { benchmark(b, maxSuper) }

// BenchmarkSegments moves a packet a turn.
func BenchmarkSegments(b *testing.B) { benchmark(b, 1448) }

func benchmark(b *testing.B, size int) {
	x, y, now := connected(b)
	payload := make([]byte, size)
	var s wire.Segment
	for range 1000 {
		turnOver(x, y, &now, payload, &s)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if turnOver(x, y, &now, payload, &s) == 0 {
			b.Fatal("nothing came")
		}
	}
}

// The three hot paths allocate nothing once they have run.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	for _, size := range []int{1000, 1448, maxSuper} {
		x, y, now := connected(t)
		payload := make([]byte, size)
		var s wire.Segment
		for range 1000 {
			turnOver(x, y, &now, payload, &s)
		}
		if n := testing.AllocsPerRun(2000, func() { turnOver(x, y, &now, payload, &s) }); n != 0 {
			t.Errorf("%d bytes a turn: %v allocations", size, n)
		}
		if x.stats.Retransmissions != 0 || x.stats.Sent < 3000 {
			t.Errorf("no steady state: %+v", x.stats)
		}
	}
}
