package packettest_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"hawser/transport/packet"
	"hawser/transport/packettest"
)

const (
	ms         = time.Millisecond
	clientPort = 61024
	serverPort = 7443
)

// world is two hosts, a link and a Conn at each end, in a bubble.
type world struct {
	t    *testing.T
	link *packettest.Link
	a, b *packettest.Conn
	ps   [128]packet.Packet
}

func inWorld(t *testing.T, c packettest.LinkConfig, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := packettest.New(7)
		client, server := n.Host("client"), n.Host("server")
		w := &world{t: t, link: n.Link(client, server, c)}
		w.a = client.Open(w.link, packet.Block{First: clientPort, Count: 32})
		w.b = server.Open(nil, packet.Block{First: serverPort, Count: 1})
		f(w)
	})
}

// segment is a packet from a to b with n bytes that follow seq.
func (w *world) segment(seq uint32, n, size int) packet.Packet {
	h := make([]byte, 32)
	binary.BigEndian.PutUint16(h, clientPort)
	binary.BigEndian.PutUint16(h[2:], serverPort)
	binary.BigEndian.PutUint32(h[4:], seq)
	h[12], h[13] = 8<<4, 0x10
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(seq+uint32(i)) ^ byte((seq+uint32(i))>>8)
	}
	return packet.Packet{
		Local: w.link.Addr(packettest.SideA), Remote: w.link.Addr(packettest.SideB), Header: h, Payload: b, SegmentSize: size,
	}
}

func (w *world) send(ps ...packet.Packet) {
	w.t.Helper()
	if n, err := w.a.WriteBatch(ps); n != len(ps) || err != nil {
		w.t.Fatalf("%d of %d sent: %v", n, len(ps), err)
	}
}

// drain waits a virtual minute and reads what has come.
func (w *world) drain(c *packettest.Conn) (out []packet.Packet) {
	w.t.Helper()
	time.Sleep(time.Minute)
	c.Inject(packet.Packet{Report: &packet.Report{Kind: packet.ReportMTU}}) // the end
	for {
		n, err := c.ReadBatch(w.ps[:])
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, w.ps[:n]...)
		if last := out[len(out)-1]; last.Report != nil && last.Report.Kind == packet.ReportMTU {
			return out[:len(out)-1]
		}
	}
}

func TestATransferTakesTheTimeOfRateAndDelay(t *testing.T) {
	inWorld(t, packettest.LinkConfig{Rate: 10e6, Delay: 30 * ms, Queue: 1 << 20}, func(w *world) {
		start := time.Now()
		p := w.segment(1, 60000, 1400)
		p.More, p.Payload = [][]byte{p.Payload[1000:]}, p.Payload[:1000]
		w.send(p, w.segment(60001, 60000, 1400), w.segment(120001, 20000, 1400))
		var got []byte
		for len(got) < 140000 {
			n, err := w.b.ReadBatch(w.ps[:])
			if err != nil {
				t.Fatal(err)
			}
			for i := range w.ps[:n] {
				p := &w.ps[i]
				if p.Local != w.link.Addr(packettest.SideB) || p.Remote != w.link.Addr(packettest.SideA) || p.Interface != w.link.Index() || !p.At.Equal(time.Now()) {
					t.Fatalf("%v from %v by %d at %v", p.Local, p.Remote, p.Interface, p.At)
				}
				got = append(got, p.Payload...)
				p.Release()
			}
		}
		if want := w.segment(1, 140000, 0).Payload; !bytes.Equal(got, want) {
			t.Error("other bytes than those sent")
		}
		segments := 43 + 43 + 15
		want := 30*ms + time.Duration(140000+segments*52)*8*time.Second/10e6
		if took := time.Since(start); took < want-time.Microsecond || took > want+time.Microsecond {
			t.Errorf("took %v, want %v", took, want)
		}
	})
}

func TestWhatWaitsIsMergedAsTheKernelMerges(t *testing.T) {
	inWorld(t, packettest.LinkConfig{}, func(w *world) {
		other := w.segment(42801, 1400, 0)
		other.Header[20] = 9 // another option: another mapping, say
		w.send(w.segment(1, 42000, 1400), w.segment(42001, 800, 1400), other, w.segment(60000, 0, 0))
		got := w.drain(w.b)
		if len(got) != 3 || len(got[0].Payload) != 42800 || got[0].SegmentSize != 1400 || len(got[1].Payload) != 1400 || len(got[2].Payload) != 0 {
			t.Errorf("%d packets: %+v", len(got), got)
		}
		if !bytes.Equal(got[0].Payload, w.segment(1, 42800, 0).Payload) {
			t.Error("other bytes than those sent")
		}
	})
}

func TestLossAndReorderingAreOfSegmentsAndRepeatable(t *testing.T) {
	run := func() (counters packettest.Counters, sizes []int) {
		inWorld(t, packettest.LinkConfig{Delay: 5 * ms, Loss: 0.1, Reorder: 0.05}, func(w *world) {
			for i := range 20 {
				w.send(w.segment(uint32(i)*56000, 56000, 1400))
			}
			for _, p := range w.drain(w.b) {
				sizes = append(sizes, int(binary.BigEndian.Uint32(p.Header[4:])), len(p.Payload))
			}
			counters = w.link.Counters(packettest.SideA)
		})
		return counters, sizes
	}
	c, first := run()
	if c.Sent != 800 || c.Lost < 50 || c.Lost > 110 || c.Delivered != 800-c.Lost {
		t.Errorf("%+v, want a tenth of 800 lost", c)
	}
	late := 0
	for i := 2; i < len(first); i += 2 {
		if first[i] < first[i-2] {
			late++
		}
	}
	if late == 0 {
		t.Error("no segment was overtaken")
	}
	c2, second := run()
	if c2 != c || len(second) != len(first) {
		t.Errorf("the second run differs: %+v, %+v", c, c2)
	}
}

func TestWhatDoesNotFitIsRefusedOrReported(t *testing.T) {
	inWorld(t, packettest.LinkConfig{Delay: 10 * ms, Path: 1400}, func(w *world) {
		if n, err := w.a.WriteBatch([]packet.Packet{w.segment(1, 1449, 0)}); n != 0 || !errors.Is(err, packet.ErrTooBig) {
			t.Errorf("a segment above the MTU: %d, %v", n, err)
		}
		start := time.Now()
		w.send(w.segment(4711, 1448, 0))
		n, err := w.a.ReadBatch(w.ps[:])
		r := w.ps[0].Report
		if n != 1 || err != nil || r == nil || r.Kind != packet.ReportTooBig || r.MTU != 1400 || r.Seq != 4711 || r.LocalPort != clientPort || time.Since(start) != 20*ms {
			t.Errorf("%d, %v, %v after %v", n, err, r, time.Since(start))
		}
		w.link.Set(packettest.SideA, func(c *packettest.LinkConfig) { c.Silent = true })
		w.send(w.segment(1, 1448, 0), w.segment(2, 1348, 0))
		if got := w.drain(w.b); len(got) != 1 || len(got[0].Payload) != 1348 {
			t.Errorf("%d packets behind a silent router", len(got))
		}
		if got := w.drain(w.a); len(got) != 0 {
			t.Errorf("a silent router reports %+v", got)
		}
		w.link.SetMTU(packettest.SideA, 1300)
		if n, err := w.a.ReadBatch(w.ps[:]); n != 1 || err != nil || w.ps[0].Report.MTU != 1300 || w.a.MTU() != 1300 {
			t.Errorf("a change of the MTU: %d, %v", n, err)
		}
	})
}

func TestALocalQueueHoldsBackAndLeavesTheRest(t *testing.T) {
	inWorld(t, packettest.LinkConfig{Rate: 10e6, Local: true, Queue: 15000}, func(w *world) {
		ps := []packet.Packet{w.segment(1, 28000, 1400), w.segment(28001, 1400, 0)}
		writes := 0
		for left := ps; len(left) > 0; writes++ {
			n, err := w.a.WriteBatch(left)
			if err != nil && !errors.Is(err, packet.ErrCongested) {
				t.Fatal(err)
			}
			left = left[n:]
			time.Sleep(ms)
		}
		got := w.drain(w.b)
		total := 0
		for _, p := range got {
			if at := int(binary.BigEndian.Uint32(p.Header[4:])) - 1; at != total || !bytes.Equal(p.Payload, w.segment(uint32(at+1), len(p.Payload), 0).Payload) {
				t.Fatalf("packet at %d after %d bytes", at, total)
			}
			total += len(p.Payload)
		}
		if c := w.link.Counters(packettest.SideA); total != 29400 || c.Dropped != 0 || c.Sent != 21 || writes < 5 {
			t.Errorf("%d bytes, %+v, %d writes", total, c, writes)
		}
	})
}

func TestABlackHoleSwallowsWhatIsUnderWay(t *testing.T) {
	inWorld(t, packettest.LinkConfig{Delay: 10 * ms}, func(w *world) {
		w.send(w.segment(1, 100, 0))
		time.Sleep(5 * ms)
		w.link.BlackHole(packettest.SideA, true)
		w.send(w.segment(101, 100, 0))
		w.link.BlackHole(packettest.SideA, false)
		w.send(w.segment(201, 100, 0))
		if got := w.drain(w.b); len(got) != 1 || binary.BigEndian.Uint32(got[0].Header[4:]) != 201 {
			t.Errorf("%d packets have come", len(got))
		}
	})
}

func TestAMiddleboxSeesEverySegment(t *testing.T) {
	seen := 0
	tamper := func(p *packet.Packet) bool {
		seen++
		p.Header[20] = 1
		return binary.BigEndian.Uint32(p.Header[4:]) != 1401
	}
	inWorld(t, packettest.LinkConfig{Tamper: tamper}, func(w *world) {
		w.send(w.segment(1, 4200, 1400))
		got := w.drain(w.b)
		if seen != 3 || len(got) != 2 || got[0].Header[20] != 1 {
			t.Errorf("seen %d, %d packets", seen, len(got))
		}
	})
}

func TestCloseAndFailEndAReader(t *testing.T) {
	inWorld(t, packettest.LinkConfig{}, func(w *world) {
		done := make(chan error)
		go func() {
			_, err := w.a.ReadBatch(make([]packet.Packet, 4))
			done <- err
		}()
		synctest.Wait()
		gone := errors.New("gone")
		w.a.Fail(gone)
		if err := <-done; !errors.Is(err, gone) {
			t.Errorf("reader of a failed Conn: %v", err)
		}
		go func() {
			_, err := w.b.ReadBatch(make([]packet.Packet, 4))
			done <- err
		}()
		synctest.Wait()
		if err := w.b.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("reader of a closed Conn: %v", err)
		}
		if _, err := w.b.WriteBatch([]packet.Packet{{}}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writer of a closed Conn: %v", err)
		}
		w.send(w.segment(1, 10, 0)) // nobody wants it, nobody answers
	})
}

// A payload in more pieces than a packet may have is refused, as the real path refuses it.
func TestAPayloadInTooManyPiecesIsMalformed(t *testing.T) {
	inWorld(t, packettest.LinkConfig{}, func(w *world) {
		p := w.segment(1, packet.MaxPieces, 0)
		for i := 1; i < packet.MaxPieces; i++ {
			p.More = append(p.More, p.Payload[i:i+1])
		}
		p.Payload = p.Payload[:1]
		w.send(p)
		p.More = append(p.More, p.Payload)
		if n, err := w.a.WriteBatch([]packet.Packet{p}); n != 0 || !errors.Is(err, packet.ErrMalformed) || p.Valid() {
			t.Errorf("%d, %v; valid: %v", n, err, p.Valid())
		}
	})
}
