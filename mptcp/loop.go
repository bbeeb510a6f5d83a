package mptcp

import (
	"net"
	"net/netip"
	"runtime"
	"time"

	"hawser/transport"
)

// turnBound is how many messages a turn takes at most, so that acknowledgements leave in time.
const turnBound = 64

// minSleep is how long the loop sleeps at least when a deadline has passed and nothing could be done about it.
const minSleep = 2 * time.Millisecond

// lull is how long the loop has had nothing to do when what comes is taken for the beginning of something.
const lull = time.Millisecond

// errand runs f on the loop, in order with everything else.
func (c *Conn) errand(f func(k *core, now time.Time)) bool {
	return c.box.put(message{do: func(now time.Time) { f(c.core, now) }})
}

// settled runs f on the loop and waits for it; false: the connection has ended.
func (c *Conn) settled(f func(k *core, now time.Time)) bool {
	done := make(chan struct{})
	if !c.errand(func(k *core, now time.Time) {
		f(k, now)
		close(done)
	}) {
		return false
	}
	select {
	case <-done:
		return true
	case <-c.done:
		return false
	}
}

// poster gives a carrier's helpers the way to the loop.
func (c *Conn) poster(s *subflow) transport.Post {
	return func(in transport.Input) { c.box.put(message{sub: s, in: in}) }
}

// start runs the loop.
func (c *Conn) start(k *core) {
	c.core = k
	go c.run(k)
}

// run is the loop: the one goroutine that owns k.
func (c *Conn) run(k *core) {
	defer c.finish(k)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var batch []message
	for {
		batch = c.box.take(batch)
		now := k.turns(batch)
		clear(batch)
		if k.state == connEnded {
			return
		}
		sleep := time.Hour
		if d := k.deadline(now); !d.IsZero() {
			sleep = max(d.Sub(now), minSleep)
		}
		timer.Reset(sleep)
		select {
		case <-c.box.wake:
			// Who is about to write or has just received goes first: what they bring shares this turn, and with it one
			// write on each uplink. After a lull there is nobody, or one whose turn would delay the first byte.
			if time.Since(now) < lull {
				runtime.Gosched()
			}
		case <-timer.C:
		}
	}
}

// turns works a batch off, in turns of at most turnBound messages, and takes one turn when it is empty.
func (k *core) turns(batch []message) (now time.Time) {
	for first := true; first || len(batch) > 0; first = false {
		n := min(len(batch), turnBound)
		now = time.Now()
		if k.state == connEnded {
			discard(batch)
			return now
		}
		k.turn(now, batch[:n])
		batch = batch[n:]
	}
	return now
}

// discard gives back what the connection ended before.
func discard(batch []message) {
	for i := range batch {
		switch m := &batch[i]; {
		case m.in != nil:
			m.in.Release()
		case m.late != nil:
			m.late()
		}
	}
}

// finish gives everything back after the loop.
func (c *Conn) finish(k *core) {
	if k.paths != nil && k.stopWatch != nil {
		k.stopWatch()
	}
	c.err = k.err
	c.box.close()
	c.outg.settle()
	if c.onEnd != nil {
		c.onEnd()
	}
	close(c.done)
}

// turn is one turn of the loop: handle, advance, schedule, flush.
func (k *core) turn(now time.Time, batch []message) {
	for i := range batch {
		m := &batch[i]
		switch {
		case m.do != nil:
			m.do(now)
		case m.sub.phase == phaseDead || k.state == connEnded:
			m.in.Release()
		default:
			m.sub.carrier.Handle(now, m.in)
			k.drain(now, m.sub)
		}
	}
	k.advance(now)
	if k.state == connEnded {
		return
	}
	k.deliver(now)
	k.dispatch(now)
	k.closing(now)
	k.flush(now)
}

// advance acts on everything that is due.
func (k *core) advance(now time.Time) {
	k.expire(now)
	for i := 0; i < len(k.subs) && k.state != connEnded; i++ {
		s := k.subs[i]
		s.carrier.Advance(now)
		k.drain(now, s)
		if s.phase == phaseActive {
			k.watch(now, s)
		}
		if s.phase == phaseDead {
			i-- // drop took it out of the list
		}
	}
	k.managePaths(now)
	k.addrs.advance(k, now)
	if !k.orphaned.IsZero() && now.Sub(k.orphaned) >= k.survive {
		k.end(now, ErrNoUplink, true)
	}
}

// flush puts what is due on the wire, one batch per path.
func (k *core) flush(now time.Time) {
	for i := 0; i < len(k.subs); i++ {
		s := k.subs[i]
		if err := s.carrier.Flush(now); err != nil {
			k.drop(now, s, 0, err.Error())
			i--
			continue
		}
		st := s.carrier.State()
		s.ranges.release(st.Written)
		if s.inFlight > 0 {
			s.entry.SystemRTT(now, st.SystemRTT)
		}
		if st.Segments != s.segments || st.Retransmits != s.retransmits {
			s.entry.Segments(st.Segments-s.segments, st.Retransmits-s.retransmits)
			s.segments, s.retransmits = st.Segments, st.Retransmits
		}
	}
}

// deadline is when the loop has to take a turn without being woken.
func (k *core) deadline(now time.Time) time.Time {
	d := k.expires
	for _, s := range k.subs {
		d = earliest(d, s.carrier.Deadline())
		switch {
		case s.phase < phaseActive:
			d = earliest(d, s.expires)
		case s.phase == phaseActive:
			d = earliest(d, k.watchDeadline(now, s))
		}
	}
	if k.paths != nil {
		d = earliest(d, k.paths.deadline)
	}
	if !k.orphaned.IsZero() {
		d = earliest(d, k.orphaned.Add(k.survive))
	}
	d = earliest(d, k.stalled)
	d = earliest(d, k.addrs.deadline())
	d = earliest(d, k.closeDeadline())
	return earliest(d, k.headDeadline())
}

// becameReady is called once, when s, the first subflow, is established.
func (c *Conn) becameReady(s *subflow) {
	st := s.carrier.State()
	c.local.Store(tcpAddr(st.Local))
	c.remote.Store(tcpAddr(st.Remote))
	c.initial.Store(uint32(s.addrID))
	close(c.ready)
	if c.onReady != nil {
		c.onReady()
	}
}

func tcpAddr(a netip.AddrPort) *net.TCPAddr {
	if !a.IsValid() {
		return &net.TCPAddr{}
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
}

// closedByUs notes the application's Close.
func (c *Conn) closedByUs(now time.Time) {
	k := c.core
	if k.fin.closed.IsZero() {
		k.fin.closed = now
		if k.state == ConnConnecting {
			k.end(now, net.ErrClosed, true)
		}
	}
}

// abortedByUs breaks off.
func (c *Conn) abortedByUs(now time.Time) { c.core.abort(now, net.ErrClosed) }
