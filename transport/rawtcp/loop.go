package rawtcp

import (
	"errors"
	"net"
	"time"

	"hawser/transport/packet"
	"hawser/transport/tcp"
	"hawser/transport/wire"
)

const (
	// maxArrivals is how many packets are taken in before something may be sent: acknowledgements must not wait.
	maxArrivals = 64
	// stallRetry is when a full local queue is tried again.
	stallRetry = time.Millisecond
)

// run is the connection's loop.
func (c *Conn) run() {
	defer c.e.loops.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		again := c.turnOnce(time.Now())
		if c.over {
			break
		}
		if !again {
			c.sleep(timer)
		}
	}
	c.end()
}

// turnOnce is one turn. again: there is more to be done at once.
func (c *Conn) turnOnce(now time.Time) (again bool) {
	again = c.receive()
	c.m.Advance(now)
	c.obey()
	c.poll()
	c.handUp(now)
	again = c.send(now) || again
	c.poll()
	c.show()
	return again
}

// sleep waits for the next deadline or a wake.
func (c *Conn) sleep(timer *time.Timer) {
	d := c.m.Deadline()
	if len(c.stalled) > 0 && (d.IsZero() || c.retryAt.Before(d)) {
		d = c.retryAt
	}
	if d.IsZero() {
		<-c.wake
		return
	}
	wait := time.Until(d)
	if len(c.stalled) > 0 {
		wait = max(wait, stallRetry) // what is due cannot leave before
	}
	if wait <= 0 {
		return
	}
	timer.Reset(wait)
	select {
	case <-c.wake:
	case <-timer.C:
	}
}

// receive takes arrived packets in. more: some are left.
func (c *Conn) receive() (more bool) {
	if c.next == len(c.arrived) {
		clear(c.arrived)
		c.arrived, c.next = c.box.take(c.arrived[:0]), 0
	}
	for range maxArrivals {
		if c.next == len(c.arrived) {
			return false
		}
		a := c.arrived[c.next]
		c.next++
		c.take(a)
		a.Release()
	}
	return c.next < len(c.arrived)
}

// take takes one packet in.
func (c *Conn) take(a *arrival) {
	if a.p.Report != nil && a.p.Report.Kind == packet.ReportReset {
		c.cutHere(a)
		return
	}
	if a.p.Report != nil {
		e := icmpError(&a.p)
		taken := c.m.Unreachable(a.p.At, &e)
		if taken != nil && a.p.Report.Kind == packet.ReportProhibited {
			c.suspect(a.p.At, "a firewall refuses what packet sockets send")
		}
		return
	}
	s := &c.segment
	if !a.segment(s) {
		return
	}
	c.cameBy = a.p.Interface
	ended := bothEnded(c.m.State())
	switch err := c.m.Receive(a.p.At, s); {
	case err == nil:
		c.acquit(a.p.At)
	case errors.Is(err, tcp.ErrReset) && !ended:
		c.suspect(a.p.At, "the connection was reset soon after its first data: a firewall may not have seen them")
	case errors.Is(err, tcp.ErrReuse):
		c.giveWay(a)
	}
	s.Owner = nil
	clear(s.Data)
}

// bothEnded tells whether both streams have ended in this state. A RST after that is no firewall's work: the peer has closed,
// and answers a late duplicate so (RFC 9293 §3.10.7.1).
func bothEnded(s tcp.State) bool { return s == tcp.Closing || s == tcp.LastAck || s == tcp.TimeWait }

// suspect notes a cut of the connection for which the peer has given no reason.
func (c *Conn) suspect(now time.Time, reason string) {
	if c.suspicion.Cut(now) {
		c.e.cut(c, c.leavesBy(), now, reason)
	}
}

// cutHere takes note that this host has sent a RST of the connection. If it is not ours, a firewall has sent it, and the
// interface is to send by raw IP. The connection is over where the RST is what the peer expects next; a side that only
// receives, or waits for an answer, would never hear of it, even if it has ended its own stream. While data or our FIN are
// under way the peer may have ignored it, and what becomes of them tells. When both streams have ended there is nothing to
// lose: the packets that came before the RST were taken in before. Before the handshake is complete there is nothing to cut:
// a filter that lets nobody in answers so to whoever sends a SYN-ACK.
func (c *Conn) cutHere(a *arrival) {
	if !c.proved || c.e.resets.has(reset{c.tuple, a.p.Report.Seq}, time.Now()) {
		return
	}
	c.e.proven(a.p.Interface, "a firewall of this host resets connections whose packets it has not seen")
	if !bothEnded(c.m.State()) && c.m.EndsAt(wire.Seq(a.p.Report.Seq)) {
		c.m.Abort(ErrCut)
	}
}

// leavesBy is the interface that the connection's packets leave by, as far as is known.
func (c *Conn) leavesBy() int {
	if c.index == 0 {
		return c.cameBy
	}
	return c.index
}

// acquit tells once that no firewall has cut the connection.
func (c *Conn) acquit(now time.Time) {
	if !c.acquitted && c.suspicion.Outlived(now) {
		c.acquitted = true
		c.e.verdicts.outlived(c.leavesBy(), c.suspicion.Began(), now)
	}
}

// giveWay hands the SYN of a new connection that takes the place of this one, which was in TIME-WAIT, to the listener.
func (c *Conn) giveWay(a *arrival) {
	c.e.forget(c, false)
	if to, ok := c.e.find(c.tuple).(*Listener); ok {
		a.Retain()
		to.deliver([]*arrival{a})
	}
}

// obey does what the application has asked for.
func (c *Conn) obey() {
	info := &c.shown.stats.Info // the last turn's is good enough, and the loop's own to read
	limit := sendLimit(info.Window, info.SRTT, c.e.cfg.MaxSendBuffer)
	clear(c.spans)
	var o orders
	c.spans, o = c.out.take(c.spans[:0], c.m.Queued(), limit)
	for _, s := range c.spans {
		if c.m.Append(s.buf.B[s.from:s.to], s.buf) != nil {
			s.buf.Release()
		}
	}
	switch {
	case o.reset != nil:
		c.m.Abort(o.reset)
	case o.close:
		c.m.Close()
	case o.fin:
		c.m.CloseWrite()
	}
}

// poll takes events in.
func (c *Conn) poll() {
	for {
		e, ok := c.m.Poll()
		if !ok {
			return
		}
		switch e.Kind {
		case tcp.EventEstablished:
			c.prove()
		case tcp.EventFin:
			c.fin = true
		case tcp.EventClosed:
			c.over, c.err = true, e.Err
		}
	}
}

// prove notes that the handshake is complete.
func (c *Conn) prove() {
	if !c.proved {
		c.proved = true
		close(c.established)
	}
}

// handUp gives Read what it has room for; all that is left when the connection is over.
func (c *Conn) handUp(now time.Time) {
	readable := c.m.Readable()
	if readable > 0 {
		room := c.in.room()
		for room > 0 || c.over {
			r, ok := c.m.Next(now)
			if !ok {
				break
			}
			room -= runCost(&r)
			c.runs = append(c.runs, r)
		}
		readable = c.m.Readable()
		c.in.put(c.runs, readable > 0)
		clear(c.runs)
		c.runs = c.runs[:0]
	}
	if c.fin && !c.eof && readable == 0 {
		c.eof = true
		c.in.finish(nil)
	}
}

// show publishes what others may see.
func (c *Conn) show() {
	info := c.m.Info()
	c.waited = c.waited || info.State == tcp.TimeWait
	c.shown.mu.Lock()
	defer c.shown.mu.Unlock()
	c.shown.stats.Info = info
}

// end leaves nothing behind.
func (c *Conn) end() {
	c.handUp(time.Now())
	err := asSystem(c.err)
	c.shown.mu.Lock()
	c.shown.err = err
	c.shown.mu.Unlock()
	if err == nil {
		err = net.ErrClosed
	}
	c.out.finish(err) // first: who has read that it is over must not be able to write
	c.in.finish(err)
	c.e.forget(c, c.proved && !c.waited)
	c.box.close()
	for ; c.next < len(c.arrived); c.next++ {
		c.arrived[c.next].Release()
	}
	for i := range c.stalled {
		c.stalled[i].Release()
	}
	c.arrived, c.spans, c.runs, c.stalled = nil, nil, nil, nil
	close(c.done)
}
