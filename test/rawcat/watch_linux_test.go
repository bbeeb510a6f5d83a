package main

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hawser/test/netlab"
)

// watch is a stage of a link that looks at all that one host sends, before the link loses any of it: what a capture on the
// host's interface would show. It counts while a file would have to hold it.
type watch struct {
	host     string
	segments atomic.Int64 // of TCP
	resets   atomic.Int64 // of these
	last     *history
	story    atomic.Pointer[string] // the last segments when the first RST came; nil: none has
}

// watchLink puts a watch on each side of an emulated link.
func watchLink(k *netlab.Link) (sides [2]*watch) {
	last := &history{}
	for s, d := range []netlab.Direction{netlab.AToB, netlab.BToA} {
		sides[s] = &watch{host: k.Host(netlab.Side(s)).Name(), last: last}
		k.SetStages(d, sides[s])
	}
	return sides
}

// wantNoReset checks what the host has sent so far.
func (w *watch) wantNoReset(t *testing.T) {
	t.Helper()
	if w.segments.Load() == 0 {
		t.Error("the host has sent nothing: the watch is blind")
	}
	if n := w.resets.Load(); n != 0 {
		t.Errorf("%s has sent %d RSTs, the first after%s", w.host, n, *w.story.Load())
	}
}

// Handle looks at a frame and passes it on.
func (w *watch) Handle(now time.Time, frame []byte, out netlab.Output) {
	if tcp, ok := headerOf(frame); ok {
		w.segments.Add(1)
		s := seen{
			at: now, host: w.host, flags: tcp[13], size: len(frame),
			seq: binary.BigEndian.Uint32(tcp[4:]), ack: binary.BigEndian.Uint32(tcp[8:]),
		}
		w.last.add(s)
		const rst = 0x04
		if s.flags&rst != 0 && w.resets.Add(1) == 1 {
			story := w.last.String()
			w.story.Store(&story)
		}
	}
	out.Forward(frame)
}

// headerOf is the TCP header (RFC 9293 §3.1), and what follows it, in an Ethernet frame; false: the frame holds none.
func headerOf(frame []byte) ([]byte, bool) {
	const ether, protocolTCP, least = 14, 6, 20
	if len(frame) < ether+least {
		return nil, false
	}
	ip, protocol, head := frame[ether:], byte(0), 40
	switch binary.BigEndian.Uint16(frame[12:]) {
	case 0x0800:
		protocol, head = ip[9], int(ip[0]&15)*4
	case 0x86dd:
		protocol = ip[6]
	}
	if protocol != protocolTCP || len(ip) < head+least {
		return nil, false
	}
	return ip[head:], true
}

// seen is a segment as it left its host.
type seen struct {
	at       time.Time
	host     string
	flags    byte
	seq, ack uint32
	size     int // of the frame
}

// history is the last segments of both directions of a link, whose thread owns it.
type history struct {
	ring [16]seen
	n    int
}

func (h *history) add(s seen) {
	h.ring[h.n%len(h.ring)] = s
	h.n++
}

// String is a line for each.
func (h *history) String() string {
	var b strings.Builder
	for i := max(0, h.n-len(h.ring)); i < h.n; i++ {
		s := h.ring[i%len(h.ring)]
		fmt.Fprintf(&b, "\n%s %s: flags %#02x seq %d ack %d, a frame of %d", s.at.Format("05.000"), s.host, s.flags, s.seq, s.ack, s.size)
	}
	return b.String()
}
