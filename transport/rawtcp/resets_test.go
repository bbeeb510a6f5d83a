package rawtcp

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawser/transport/packet"
	"hawser/transport/packettest"
	"hawser/transport/wire"
)

// resetLog is a middlebox that knows the resets which have left by its link. Before the segment with the flags it puts a
// stray one before the receiver, which acknowledges what was never sent.
type resetLog struct {
	mu     sync.Mutex
	before wire.Flags
	stray  wire.Flags
	to     *packettest.Conn
	resets []packet.Packet // their reports
}

func (l *resetLog) tamper(p *packet.Packet) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	flags := wire.Flags(p.Header[13])
	if flags == l.before && l.to != nil {
		stray := packet.Packet{Local: p.Remote, Remote: p.Local, Interface: 1, Header: append([]byte(nil), p.Header[:20]...)}
		stray.Header[12], stray.Header[13] = 5<<4, byte(l.stray)
		binary.BigEndian.PutUint32(stray.Header[8:], 12345)
		to := l.to
		l.to = nil
		time.AfterFunc(5*time.Millisecond, func() { to.Inject(stray) })
	}
	if flags.Has(wire.RST) {
		from, to := binary.BigEndian.Uint16(p.Header), binary.BigEndian.Uint16(p.Header[2:])
		l.resets = append(l.resets, resetOf(netip.AddrPortFrom(p.Local, from), netip.AddrPortFrom(p.Remote, to), binary.BigEndian.Uint32(p.Header[4:])))
	}
	return true
}

// A stray segment before the end of the handshake is answered with RST, and the connection goes on: in SYN-SENT, and on a
// listener.
// The packet path reports that RST as it reports a firewall's.
func TestOurOwnResetsProveNothing(t *testing.T) {
	for _, serve := range []bool{false, true} {
		t.Run(map[bool]string{false: "client", true: "server"}[serve], func(t *testing.T) {
			log := &resetLog{before: wire.SYN | wire.ACK, stray: wire.ACK}
			if serve {
				log.before, log.stray = wire.ACK, wire.SYN|wire.ACK
			}
			link := packettest.LinkConfig{Delay: 10 * time.Millisecond, Tamper: log.tamper}
			inBubble(t, 1, link, func(r *rig) {
				path, to := r.modes, r.cconn
				if serve {
					path, to = r.smodes, r.sconn
				}
				log.mu.Lock()
				log.to = to
				log.mu.Unlock()
				client, server := r.connect()
				log.mu.Lock()
				reports := log.resets
				log.mu.Unlock()
				if len(reports) == 0 {
					t.Fatal("no RST was sent: the test shows nothing")
				}
				for range 2 { // the second: one that was sent again
					for _, p := range reports {
						path.Inject(p)
					}
				}
				synctest.Wait()
				if path.reason != "" {
					t.Errorf("degraded: %s", path.reason)
				}
				r.converse(client, server, 1000, 1000)
			})
		})
	}
}

// Where the kernel's socket of the port is not wholly deaf, a neighbour can have it send a RST with any number that he chooses.
// A RST with another number is still a firewall's.
func TestAResetThatTheKernelMayHaveSentProvesNothing(t *testing.T) {
	for _, heard := range []bool{false, true} {
		for off := range uint32(2) {
			inBubble(t, 1, packettest.LinkConfig{Delay: 10 * time.Millisecond}, func(r *rig) {
				_, c := r.connect()
				p := packet.Packet{Local: c.tuple.local.Addr(), Remote: c.tuple.remote.Addr(), Interface: 1, Heard: heard, Header: make([]byte, 20)}
				binary.BigEndian.PutUint16(p.Header, c.tuple.remote.Port())
				binary.BigEndian.PutUint16(p.Header[2:], c.tuple.local.Port())
				binary.BigEndian.PutUint32(p.Header[8:], 12345)
				p.Header[12], p.Header[13] = 5<<4, byte(wire.ACK)
				r.smodes.Inject(p)
				r.smodes.Inject(resetReport(c, 12345+off))
				synctest.Wait()
				if got, want := r.smodes.reason != "", !heard || off > 0; got != want {
					t.Errorf("heard %v, number off by %d: degraded is %v", heard, off, got)
				}
			})
		}
	}
}

// Before the handshake is complete the RST may be the answer of a filter that lets nobody in, to whoever it was that sent a
// segment: no flow has been cut.
func TestAResetBeforeTheHandshakeProvesNothing(t *testing.T) {
	var mu sync.Mutex
	var tuples []packet.Packet
	link := packettest.LinkConfig{Delay: 10 * time.Millisecond, Tamper: func(p *packet.Packet) bool {
		mu.Lock()
		defer mu.Unlock()
		from, to := binary.BigEndian.Uint16(p.Header), binary.BigEndian.Uint16(p.Header[2:])
		seq := binary.BigEndian.Uint32(p.Header[4:]) + 1
		tuples = append(tuples, resetOf(netip.AddrPortFrom(p.Local, from), netip.AddrPortFrom(p.Remote, to), seq))
		return len(tuples) > 1 // the first SYN is lost
	}}
	inBubble(t, 1, link, func(r *rig) {
		dialed := make(chan error)
		go func() {
			_, err := r.dial()
			dialed <- err
		}()
		synctest.Wait()
		mu.Lock()
		r.modes.Inject(tuples[0])
		mu.Unlock()
		synctest.Wait()
		if r.modes.reason != "" {
			t.Errorf("degraded: %s", r.modes.reason)
		}
		if err := <-dialed; err != nil {
			t.Error(err)
		}
	})
}

// resetOf is the report of a RST.
func resetOf(local, remote netip.AddrPort, seq uint32) packet.Packet {
	return packet.Packet{Local: local.Addr(), Remote: remote.Addr(), Interface: 1, Report: &packet.Report{
		Kind: packet.ReportReset, From: local.Addr(), LocalPort: local.Port(), RemotePort: remote.Port(), Seq: seq,
	}}
}

func TestResetsAreKnownForAWhileAndInBoundedMemory(t *testing.T) {
	start := time.Now()
	at := func(d time.Duration) time.Time { return start.Add(d) }
	one := func(seq int) reset {
		return reset{tuple{netip.MustParseAddrPort("192.0.2.1:7443"), netip.MustParseAddrPort("198.51.100.2:5000")}, uint32(seq)}
	}
	r := newResets()
	r.add(one(0), at(0))
	r.add(one(1), at(resetMemory-1))
	for _, c := range []struct {
		seq  int
		at   time.Duration
		want bool
	}{
		{0, resetMemory - 1, true},
		{2, resetMemory - 1, false},
		{1, 2*resetMemory - 1, true},
		{1, 3 * resetMemory, false},
	} {
		if got := r.has(one(c.seq), at(c.at)); got != c.want {
			t.Errorf("RST %d after %v: known %v", c.seq, c.at, got)
		}
	}
	full := at(time.Hour)
	for i := range maxResets {
		r.add(one(i), full)
	}
	if r.has(one(-1), full) {
		t.Error("one too many is known while all have room")
	}
	for i := range maxResets {
		r.add(one(maxResets+i), full)
	}
	if n := len(r.young) + len(r.old); n > 2*maxResets || !r.has(one(2*maxResets-1), full) {
		t.Errorf("%d are held; the last is known: %v", n, r.has(one(2*maxResets-1), full))
	}
	if r.has(one(2*maxResets-1), full.Add(2*resetMemory)) {
		t.Error("what had no room is known for ever")
	}
}
