package main

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"hawser/test/netlab"
)

// repeater sends the FIN of a host again some time later, as a host does that has not been answered in time.
type repeater struct {
	after time.Duration
	peer  *watch // of the other host
	fin   []byte
	due   time.Time    // zero: nothing waits
	acted atomic.Bool  // it has come again
	heard atomic.Int64 // what the peer had sent by then
}

// Handle implements netlab.Stage.
func (r *repeater) Handle(now time.Time, frame []byte, out netlab.Output) {
	const fin = 0x01
	if tcp, ok := headerOf(frame); ok && tcp[13]&fin != 0 && r.fin == nil {
		r.fin, r.due = slices.Clone(frame), now.Add(r.after)
	}
	out.Forward(frame)
}

// Deadline implements netlab.TimedStage.
func (r *repeater) Deadline() time.Time { return r.due }

// Wake implements netlab.TimedStage.
func (r *repeater) Wake(_ time.Time, out netlab.Output) {
	r.heard.Store(r.peer.segments.Load())
	out.Forward(r.fin)
	r.due = time.Time{}
	r.acted.Store(true)
}

// The peer answers what reaches it late, also when the connection has ended at our end: then our kernel must not see it.
func TestNoResetAfterTheEnd(t *testing.T) {
	everyRole(t, func(t *testing.T, catListens, v6 bool) {
		t.Parallel()
		const delay = 200 * time.Millisecond
		lab := netlab.New(t)
		a, b := lab.Host("a"), lab.Host("b")
		link := lab.Link(a, b, netlab.LinkConfig{Delay: delay})
		sides := watchLink(link)
		out, back, ours, peer := netlab.AToB, netlab.BToA, sides[netlab.SideA], sides[netlab.SideB]
		x := exchange{from: a, to: b, at: address(link, netlab.SideB, v6), catListens: catListens, unroot: true, up: stream{1, 100_000}}
		if catListens {
			out, back, ours, peer = back, out, peer, ours
			x.up, x.down = x.down, x.up
		}
		again := &repeater{after: delay * 5 / 4, peer: peer} // later than the peer's answer to the first
		link.SetStages(out, ours, again)
		x.run(t) // the kernel has nothing to send and closes first: our end is done when its FIN is acknowledged
		for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			c := link.Counters(back)
			if again.acted.Load() && peer.segments.Load() > again.heard.Load() && c.InPackets == c.Packets {
				break
			}
			if time.Now().After(end) {
				t.Fatal("the peer has not answered the FIN that came again")
			}
		}
		link.Sync(func() {})
		ours.wantNoReset(t)
	})
}
