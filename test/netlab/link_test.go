//go:build linux

package netlab_test

import (
	"encoding/binary"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"hawser/test/netlab"
)

func TestLinkKeepsItsRate(t *testing.T) {
	const packets, attempts = 500, 5 // 0.3 s of 1514-byte frames; attempts for a machine that is busy with other things
	r := newRig(t, netlab.LinkConfig{ARate: netlab.Mbit, Delay: 5 * time.Millisecond, QueueBytes: 1 << 20})
	var rates []float64
	for attempt := range int64(attempts) {
		t.Log("# packets wait at a low rate, then the link becomes quick")
		r.link.SetRate(netlab.AToB, netlab.Mbit)
		for n := range packets {
			r.send(netlab.SideA, uint32(n), 1472)
		}
		r.entered(netlab.SideA, (attempt+1)*packets)
		r.link.SetRate(netlab.AToB, 20*netlab.Mbit)
		got := r.until(netlab.SideB, packets-1)
		if len(got) != packets {
			t.Fatalf("%d of %d packets came", len(got), packets)
		}
		rate := rateOf(got[packets/2:], 1514, 20e6)
		if rate > 19.4e6 && rate < 20.6e6 {
			t.Logf("%.3f Mbit/s; %+v", rate/1e6, r.counters(netlab.SideA).Lateness)
			return
		}
		rates = append(rates, rate)
	}
	t.Errorf("rates %.0f bit/s, want one of 20 Mbit/s ± 3 %%; %+v", rates, r.counters(netlab.SideA).Lateness)
}

// rateOf measures the rate in bit/s of frames of a size between the most punctual packets of the first and the last
// quarter: a busy machine makes some late, and none early.
func rateOf(got []packet, frame int, nominal float64) float64 {
	late := func(n int) time.Duration {
		due := time.Duration(float64(n*frame*8) / nominal * float64(time.Second))
		return got[n].at.Sub(got[0].at) - due
	}
	first, last := 0, len(got)-1
	for n := range len(got) / 4 {
		if late(n) < late(first) {
			first = n
		}
		if m := len(got) - 1 - n; late(m) < late(last) {
			last = m
		}
	}
	return float64((last-first)*frame*8) / got[last].at.Sub(got[first].at).Seconds()
}

func TestLinkKeepsItsDelay(t *testing.T) {
	const delay = 20 * time.Millisecond
	r := newRig(t, netlab.LinkConfig{Delay: delay})
	var delays []time.Duration
	for n := range uint32(40) {
		from := netlab.Side(n % 2)
		start := time.Now()
		r.send(from, n, 100)
		delays = append(delays, r.receive(1-from).at.Sub(start))
	}
	slices.Sort(delays)
	t.Logf("one way: min %v, median %v, max %v", delays[0], delays[20], delays[39])
	if delays[0] < delay {
		t.Errorf("a packet took %v, less than %v", delays[0], delay)
	}
	if delays[0] > delay+500*time.Microsecond || delays[20] > delay+10*time.Millisecond {
		t.Errorf("min %v and median %v, want %v + at most 0.5 ms, + 10 ms on a busy machine", delays[0], delays[20], delay)
	}
}

func TestJitterKeepsPacketsInOrder(t *testing.T) {
	r := newRig(t, netlab.LinkConfig{
		ARate: 50 * netlab.Mbit, Delay: 10 * time.Millisecond, Jitter: 10 * time.Millisecond, QueueTime: time.Second,
	})
	const packets = 400
	for n := range uint32(packets) {
		r.send(netlab.SideA, n, 1000)
	}
	got := r.until(netlab.SideB, packets-1)
	for n, p := range got {
		if p.number != uint32(n) {
			t.Fatalf("packet %d came as number %d", p.number, n)
		}
	}
}

func TestLossIsTheSameForTheSameSeed(t *testing.T) {
	const packets = 1000
	run := func(seed uint64) []uint32 {
		r := newRig(t, netlab.LinkConfig{Emulate: true, Seed: seed})
		r.link.SetLoss(netlab.AToB, 0.1)
		for n := range uint32(packets) {
			r.send(netlab.SideA, n, 50)
		}
		r.entered(netlab.SideA, packets)
		r.link.SetLoss(netlab.AToB, 0)
		r.send(netlab.SideA, packets, 50)
		var numbers []uint32
		for _, p := range r.until(netlab.SideB, packets) {
			numbers = append(numbers, p.number)
		}
		if c := r.counters(netlab.SideA); int(c.Drops.Loss) != packets+1-len(numbers) {
			t.Errorf("%d packets arrived of %d, but %+v", len(numbers), packets+1, c)
		}
		return numbers
	}
	first := run(5)
	if lost := packets + 1 - len(first); lost < 70 || lost > 130 { // 100 ± 3σ
		t.Errorf("%d of %d packets lost, want about 100", lost, packets)
	}
	if !slices.Equal(first, run(5)) {
		t.Error("other packets were lost with the same seed")
	}
}

func TestQueueDropsTheTail(t *testing.T) {
	r := newRig(t, netlab.LinkConfig{ARate: netlab.Mbit}) // 30 full frames, 12 ms each
	const packets = 100
	for n := range uint32(packets) {
		r.send(netlab.SideA, n, 1472)
	}
	r.entered(netlab.SideA, packets)
	c := r.counters(netlab.SideA)
	if c.Drops.Queue < 40 || c.Drops.Queue > 70 {
		t.Errorf("%+v, want about 70 packets dropped", c)
	}
	for n := range uint32(packets - c.Drops.Queue) {
		if p := r.receive(netlab.SideB); n < 30 && p.number != n {
			t.Errorf("packet %d came as number %d", p.number, n)
		}
	}
}

func TestBlackHoleIsSilent(t *testing.T) {
	const a, b = netlab.SideA, netlab.SideB
	for _, tt := range []struct {
		dir        netlab.Direction
		aToB, bToA []uint32 // what arrives of packet 1, sent into the hole, and 2, sent after it
	}{
		{netlab.AToB, []uint32{2}, []uint32{1, 2}},
		{netlab.BToA, []uint32{1, 2}, []uint32{2}},
		{netlab.Both, []uint32{2}, []uint32{2}},
	} {
		t.Run(tt.dir.String(), func(t *testing.T) {
			r := newRig(t, netlab.LinkConfig{Delay: 5 * time.Millisecond})
			r.link.BlackHole(tt.dir, true)
			r.send(a, 1, 100)
			r.send(b, 1, 100)
			r.entered(a, 1)
			r.entered(b, 1)
			r.link.BlackHole(tt.dir, false)
			r.send(a, 2, 100)
			r.send(b, 2, 100)
			r.wantNumbers("a→b", r.until(b, 2), tt.aToB...)
			r.wantNumbers("b→a", r.until(a, 2), tt.bToA...)
			lost := r.counters(a).Drops.BlackHole + r.counters(b).Drops.BlackHole
			if want := int64(4 - len(tt.aToB) - len(tt.bToA)); lost != want {
				t.Errorf("%d packets counted as lost, want %d", lost, want)
			}
		})
	}
}

func TestStagesSitOnTheLink(t *testing.T) {
	r := newRig(t, netlab.LinkConfig{Emulate: true})
	twice := netlab.StageFunc(func(f []byte) [][]byte { return [][]byte{f, f} })
	r.link.SetStages(netlab.AToB, twice)
	r.send(netlab.SideA, 1, 100)
	r.entered(netlab.SideA, 1)
	r.link.SetStages(netlab.AToB)
	r.send(netlab.SideA, 2, 100)
	r.wantNumbers("a→b", r.until(netlab.SideB, 2), 1, 1, 2)
}

func TestBytesAreKnownByTime(t *testing.T) {
	r := newRig(t, netlab.LinkConfig{Emulate: true})
	before := r.link.Bytes(netlab.AToB)
	start := time.Now()
	for n := range uint32(10) {
		r.send(netlab.SideA, n, 1000)
	}
	r.until(netlab.SideB, 9)
	now := time.Now()
	const frames = 10 * (1000 + 8 + 20 + 14)
	if got := r.link.BytesBetween(netlab.AToB, start, now); got < frames || got > frames+before {
		t.Errorf("%d bytes a→b, want %d", got, frames)
	}
	if got := r.link.BytesBetween(netlab.Both, start.Add(-time.Minute), start.Add(-time.Second)); got != 0 {
		t.Errorf("%d bytes before the first packet", got)
	}
	if got := r.link.Bytes(netlab.AToB) - before; got != frames {
		t.Errorf("%d bytes in all, want %d", got, frames)
	}
}

func TestUnshapedLinkIsPlain(t *testing.T) {
	r := newRig(t, netlab.LinkConfig{})
	before := r.link.Bytes(netlab.AToB)
	r.send(netlab.SideA, 1, 1000)
	r.until(netlab.SideB, 1)
	if got := r.link.Bytes(netlab.AToB) - before; got < 1000 {
		t.Errorf("%d bytes counted, want 1000 and headers", got)
	}
}

// A plain link passes what TCP sends at once as one packet, of up to 64 kB; without offloads each is one of the MTU.
func TestPlainLinkWithoutOffloadsCarriesFrames(t *testing.T) {
	for _, whole := range []bool{true, false} {
		lab := netlab.New(t)
		a, b := lab.Host("a"), lab.Host("b")
		link := lab.Link(a, b, netlab.LinkConfig{NoOffloads: !whole})
		client, server := dialTo(t, a, b, netip.AddrPortFrom(link.Addr(netlab.SideB), 9000))
		const size = 1_000_000
		go func() {
			_, _ = client.Write(make([]byte, size))
			_ = client.Close()
		}()
		if n, err := io.Copy(io.Discard, server); err != nil || n != size {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if n := link.Counters(netlab.AToB).Packets; (n < size/1500) != whole {
			t.Errorf("without offloads: %v: %d packets for %d bytes", !whole, n, size)
		}
	}
}

func TestCaptureIsAPcapFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "link.pcap")
	t.Run("lab", func(t *testing.T) {
		r := newRig(t, netlab.LinkConfig{Emulate: true})
		r.link.Capture(path)
		r.send(netlab.SideA, 1, 100)
		r.until(netlab.SideB, 1)
	})
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const frame = 100 + 8 + 20 + 14
	whole := len(b) == 24+16+frame
	if !whole || binary.LittleEndian.Uint32(b) != 0xa1b23c4d || binary.LittleEndian.Uint32(b[32:]) != frame {
		t.Errorf("%d bytes % x, want a file with one frame of %d bytes", len(b), b[:min(len(b), 40)], frame)
	}
}

// late is a timed stage that holds frames back until the last of them has waited for a time.
type late struct {
	wait   time.Duration
	frames [][]byte
	due    time.Time
}

func (l *late) Handle(now time.Time, frame []byte, _ netlab.Output) {
	l.frames = append(l.frames, slices.Clone(frame))
	l.due = now.Add(l.wait)
}

func (l *late) Deadline() time.Time { return l.due }

func (l *late) Wake(_ time.Time, out netlab.Output) {
	for _, f := range l.frames {
		out.Forward(f)
	}
	l.frames, l.due = nil, time.Time{}
}

func TestLinkWakesTimedStages(t *testing.T) {
	r := newRig(t, netlab.LinkConfig{Emulate: true})
	stage := &late{wait: 5 * time.Millisecond}
	r.link.SetStages(netlab.AToB, stage)
	t.Log("# no other frame moves: only the deadline can have released this one")
	start := time.Now()
	r.send(netlab.SideA, 1, 100)
	r.wantNumbers("held back", r.until(netlab.SideB, 1), 1)
	if took := time.Since(start); took < stage.wait {
		t.Errorf("it came after %v, before its time", took)
	}
	t.Log("# a test can move the deadline")
	r.link.Sync(func() { stage.wait = time.Hour })
	r.send(netlab.SideA, 2, 100)
	for held := 0; held == 0; {
		r.link.Sync(func() { held = len(stage.frames) })
	}
	r.link.Sync(func() { stage.due = time.Unix(1, 0) })
	r.wantNumbers("released by the test", r.until(netlab.SideB, 2), 2)
}
