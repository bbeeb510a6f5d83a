package rawtcp

import (
	"errors"
	"net"
	"time"

	"hawser/transport/packet"
	"hawser/transport/tcp"
	"hawser/transport/wire"
)

// send emits one batch at most. again: there may be more.
func (c *Conn) send(now time.Time) (again bool) {
	if !c.resume(now) {
		return false
	}
	b := batches.Get().(*batch)
	defer b.release()
	for !b.full() {
		s := b.next()
		if !c.m.Emit(now, s) {
			break
		}
		if s.Len > 0 && !s.Control {
			c.suspicion.Sent(now)
		}
		b.add(c.index, s.Control)
	}
	again = b.full()
	if b.n == 0 {
		return false
	}
	rest := c.write(now, b.packets[:b.n])
	for i := range rest {
		rest[i].Own()
		c.stalled = append(c.stalled, rest[i])
	}
	if len(rest) > 0 {
		c.stall(now)
		return false
	}
	return again
}

// write sends packets and returns those for which the local queue had no room. What cannot be sent for another reason
// is left to TCP: as lost, or in smaller packets.
func (c *Conn) write(now time.Time, ps []packet.Packet) (rest []packet.Packet) {
	for len(ps) > 0 {
		n, err := c.e.writeBatch(ps)
		ps = ps[n:]
		if err == nil {
			continue
		}
		var tooBig *packet.TooBigError
		switch {
		case errors.Is(err, packet.ErrCongested):
			return ps
		case errors.As(err, &tooBig):
			c.tooBig(now, &ps[0], tooBig.MTU)
		default:
			c.failed(err)
		}
		ps = ps[1:]
	}
	return nil
}

// tooBig tells the machine that a packet does not fit its interface or route.
func (c *Conn) tooBig(now time.Time, p *packet.Packet, mtu int) {
	var s wire.Segment
	if s.ConsumeHeader(p.Local, p.Remote, p.Header) > 0 {
		_ = c.m.Unreachable(now, &wire.ICMPError{Kind: wire.ICMPTooBig, Src: s.Src, Dst: s.Dst, Seq: s.Seq, MTU: mtu, Local: true})
	}
}

// failed notes an error about one packet. A connection whose first SYN cannot leave ends at once: whoever dials wants to
// know now.
func (c *Conn) failed(err error) {
	c.shown.mu.Lock()
	c.shown.stats.SendErrors++
	c.shown.stats.SendError = err
	c.shown.mu.Unlock()
	if c.m.State() == tcp.SynSent && !errors.Is(err, net.ErrClosed) {
		c.m.Abort(err)
	}
}

// stall waits for room in the local queue.
func (c *Conn) stall(now time.Time) {
	c.retryAt = now.Add(stallRetry)
	c.shown.mu.Lock()
	c.shown.stats.Stalls++
	c.shown.mu.Unlock()
}

// resume sends what had to wait; false: it still has to.
func (c *Conn) resume(now time.Time) bool {
	if len(c.stalled) == 0 {
		return true
	}
	if now.Before(c.retryAt) && !c.over {
		return false
	}
	rest := c.write(now, c.stalled)
	done := len(c.stalled) - len(rest)
	for i := range c.stalled[:done] {
		c.stalled[i].Release()
	}
	n := copy(c.stalled, rest)
	clear(c.stalled[n:])
	c.stalled = c.stalled[:n]
	if n > 0 {
		c.stall(now)
	}
	return n == 0
}
