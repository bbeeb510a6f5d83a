package rawtcp

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"hawser/transport/packet"
	"hawser/transport/wire"
)

const (
	resetMemory = 5 * time.Second // for how long a RST is known at least: much longer than a reader is held up
	maxResets   = 4096            // that are known of each such time
)

// resets are the RSTs that this host has sent of late, or may have, without a firewall. Most are the Endpoint's. A
// connection may go on after one, or begin: an unacceptable ACK before the handshake is complete is answered so (RFC 9293
// §3.10.7.2, §3.10.7.3, §3.10.7.4), and the packet path reports what it has sent like a firewall's. The others are the
// kernel's, where its own socket of the port is not wholly deaf. Memory is bounded: when there are more than it holds, any
// RST passes for one of these until they are forgotten.
type resets struct {
	seed maphash.Seed

	mu         sync.Mutex
	young, old map[uint64]struct{}
	turned     time.Time // when young was empty
	crowded    time.Time // any RST is one of these until then
}

// reset is what tells a RST from others.
type reset struct {
	tuple tuple
	seq   uint32
}

func newResets() *resets { return &resets{seed: maphash.MakeSeed(), young: map[uint64]struct{}{}} }

// add notes one that leaves now.
func (r *resets) add(one reset, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(now)
	if len(r.young) == maxResets {
		r.crowded = now.Add(2 * resetMemory)
		return
	}
	r.young[maphash.Comparable(r.seed, one)] = struct{}{}
}

// has says whether a RST may be one of them.
func (r *resets) has(one reset, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(now)
	h := maphash.Comparable(r.seed, one)
	_, young := r.young[h]
	_, old := r.old[h]
	return young || old || now.Before(r.crowded)
}

// forget drops what is older than twice resetMemory. r.mu is held.
func (r *resets) forget(now time.Time) {
	age := now.Sub(r.turned)
	if age < resetMemory {
		return
	}
	r.old, r.turned = nil, now
	if age < 2*resetMemory {
		r.old = r.young
	}
	r.young = map[uint64]struct{}{}
}

// writeBatch sends packets by the packet path, and notes the RSTs first: their reports may come at once.
func (e *Endpoint) writeBatch(ps []packet.Packet) (int, error) {
	for i := range ps {
		p := &ps[i]
		if wire.Flags(p.Header[13]).Has(wire.RST) {
			from, to := binary.BigEndian.Uint16(p.Header), binary.BigEndian.Uint16(p.Header[2:])
			t := tuple{netip.AddrPortFrom(p.Local, from), netip.AddrPortFrom(p.Remote, to)}
			e.resets.add(reset{t, binary.BigEndian.Uint32(p.Header[4:])}, time.Now())
		}
	}
	return e.conn.WriteBatch(ps)
}

// heard notes the RST with which the kernel may have answered a packet: "If the incoming segment has an ACK field, the reset
// takes its sequence number from the ACK field of the segment" (RFC 9293 §3.5.2).
func (e *Endpoint) heard(t tuple, p *packet.Packet) {
	e.resets.add(reset{t, binary.BigEndian.Uint32(p.Header[8:])}, time.Now())
}
