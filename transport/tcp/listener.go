package tcp

import (
	"net/netip"
	"time"

	"hawser/transport/wire"
)

// Defaults of ListenerConfig.
const (
	defaultHalfOpen  = 256
	defaultPerSource = 16
	defaultSYNRate   = 50
	defaultBacklog   = 128
	maxReplies       = 256
)

// ListenerConfig is what a listener needs to know. Zero values are good defaults unless a field says otherwise.
type ListenerConfig struct {
	Conn Config // for the connections; Local and Remote are theirs

	HalfOpen          int // handshakes remembered at most; 0: 256
	HalfOpenPerSource int // … of one source (an IPv4 address, an IPv6 /64); 0: 16
	SYNRate           int // answers a second to one source, twice that at once; 0: 50
	Backlog           int // connections that wait for Accept; what would complete more is dropped, and comes again; 0: 128

	// Answer appends the options of kind 30 of a SYN-ACK to dst, at most room bytes. It must depend on the SYN alone, for
	// it may be forgotten and come again. nil: none.
	Answer func(dst []byte, syn *wire.Segment, room int) []byte
	// Extension makes the one of a connection that is complete, from the SYN's options of kind 30 (empty when the
	// handshake was not remembered) and the segment that completed it; nil: none.
	Extension func(syn []byte, ack *wire.Segment) Extension
}

// Listener completes handshakes (LISTEN of RFC 9293) without keeping state for strangers: every SYN-ACK carries a
// cookie, what is remembered besides is of fixed size, and a Machine is made only for a peer that has proved that it
// gets what is sent to its address. It also refuses segments that belong to no connection.
//
// Its verbs are those of a Machine; Accept takes the connections.
type Listener struct {
	cfg      ListenerConfig
	cookies  cookies
	sources  sources
	half     []halfOpen
	halfUsed int
	scratch  halfOpen       // a handshake that is not remembered
	replies  []wire.Segment // to be sent
	ready    []*Machine
	stats    ListenerStats
}

// ListenerStats counts what a listener has done.
type ListenerStats struct {
	SYNs      int64 // received
	Limited   int64 // not answered: the source sends too many
	Answered  int64 // SYN-ACKs, repeated ones included
	Forgotten int64 // answered without being remembered
	Accepted  int64
	Refused   int64 // answered with a RST
	Overflow  int64 // dropped: the backlog or the queue of answers was full
}

// Listen makes a listener. Config.Control is required.
func Listen(cfg ListenerConfig) (*Listener, error) {
	if err := cfg.Conn.check(); err != nil {
		return nil, err
	}
	orInt(&cfg.HalfOpen, defaultHalfOpen)
	orInt(&cfg.HalfOpenPerSource, defaultPerSource)
	orInt(&cfg.SYNRate, defaultSYNRate)
	orInt(&cfg.Backlog, defaultBacklog)
	l := &Listener{cfg: cfg, half: make([]halfOpen, cfg.HalfOpen)}
	l.cookies.secret, l.sources.secret = &l.cfg.Conn.Secret, &l.cfg.Conn.Secret
	l.sources.rate, l.sources.burst = float64(cfg.SYNRate), float64(2*cfg.SYNRate)
	return l, nil
}

// Receive takes a segment that belongs to no connection (RFC 9293 §3.10.7.2 and, for what is refused, §3.10.7.1).
func (l *Listener) Receive(at time.Time, s *wire.Segment) error {
	if l.cfg.Conn.Clock.IsZero() {
		l.cfg.Conn.Clock = at
	}
	switch {
	case s.Flags.Has(wire.RST): // first: "An incoming RST should be ignored"
		if h := l.find(s.Dst, s.Src); h != nil && s.Seq == h.peerISN.Add(1) {
			l.forget(h)
		}
		return nil
	case s.Src.Port() == 0 || s.Dst.Port() == 0 || !s.Src.Addr().IsValid() || s.Src.Addr().IsMulticast() || s.Dst.Addr().IsMulticast():
		return errUnsound // RFC 1122 §4.2.3.10: "a TCP implementation MUST silently discard … a broadcast or multicast address"
	case s.Flags.Has(wire.SYN) && !s.Flags.Has(wire.ACK) && !s.Flags.Has(wire.FIN):
		return l.receiveSYN(at, s)
	case s.Flags.Has(wire.ACK) && !s.Flags.Has(wire.SYN):
		return l.receiveAck(at, s)
	}
	return l.refuse(at, s)
}

// receiveSYN answers with a cookie.
func (l *Listener) receiveSYN(at time.Time, s *wire.Segment) error {
	l.stats.SYNs++
	if !l.sources.allow(forSYN, s.Src.Addr(), at) {
		l.stats.Limited++
		return errUnsound
	}
	h := l.find(s.Dst, s.Src)
	if h != nil && h.peerISN != s.Seq {
		l.forget(h) // a new attempt from the same port
		h = nil
	}
	if h == nil {
		if h = l.remember(s.Src); h == nil {
			l.stats.Forgotten++
			h = &l.scratch
		}
		l.note(h, at, s)
	}
	l.answer(h, at)
	return nil
}

// SetMTU sets what connections begin with from the next SYN on: the path may have become another one. 0: the default.
func (l *Listener) SetMTU(n int) error {
	c := l.cfg.Conn
	c.MTU = n
	if err := c.check(); err != nil {
		return err
	}
	l.cfg.Conn = c
	return nil
}

// check tells what is wrong with what a Listener's connections are to have in common.
func (c Config) check() error {
	nobody := netip.AddrPortFrom(netip.IPv4Unspecified(), 0) // addresses come with each connection
	c.Local, c.Remote = nobody, nobody
	_, err := c.withDefaults()
	return err
}

// Remembers reports whether the handshake of a pair of addresses is remembered here.
func (l *Listener) Remembers(local, remote netip.AddrPort) bool { return l.find(local, remote) != nil }

// steady is now by the clock of cookies and timestamps.
func (l *Listener) steady(now time.Time) time.Time { return steady(l.cfg.Conn.Clock, now) }

// note fills h in from a SYN: what both sides can do.
func (l *Listener) note(h *halfOpen, at time.Time, s *wire.Segment) {
	c, o := &l.cfg.Conn, &s.Options
	known := h != &l.scratch
	*h = halfOpen{local: s.Dst, remote: s.Src, peerISN: s.Seq, sentAt: at, at: at.Add(initialRTO), used: known}
	m := Machine{cfg: Config{Remote: s.Src, NoSACK: c.NoSACK, NoWindowScale: c.NoWindowScale, NoTimestamps: c.NoTimestamps}}
	m.agree(s)
	h.peer = m.peer
	h.isn = l.cookies.make(s.Dst, s.Src, s.Seq, h.peer.mss, l.steady(at))
	switch {
	case h.peer.stamped: // the echo tells
	case known:
		h.isn = remembered(h.isn)
	default: // nothing would tell of these options when the handshake is completed, so they are not granted
		h.peer.scaled, h.peer.sack, h.peer.ecn = false, false, false
	}
	h.tsVal = o.TSVal
	if mptcp := o.MPTCP(); len(mptcp) > 0 {
		h.mptcp.SetMPTCP(mptcp)
	}
}

// answer queues the SYN-ACK of h.
func (l *Listener) answer(h *halfOpen, now time.Time) {
	r := l.reply()
	if r == nil {
		return
	}
	c := &l.cfg.Conn
	r.Src, r.Dst, r.Flags = h.local, h.remote, wire.SYN|wire.ACK
	r.Seq, r.Ack = h.isn, h.peerISN.Add(1)
	window := c.ReceiveBuffer
	orInt(&window, defaultReceive)
	r.Window = uint16(min(window, 0xffff))
	mtu := c.MTU
	orInt(&mtu, defaultMTU)
	r.Options.MSS = uint16(min(mtu, 1<<16-1) - wire.IPHeaderLen(h.local.Addr()) - wire.TCPHeaderLen)
	r.Options.SACKPermitted = h.peer.sack
	if h.peer.scaled {
		r.Options.HasWindowScale, r.Options.WindowScale = true, l.ownScale()
	}
	if h.peer.stamped {
		t := timestamps{offset: timestampOffset(&c.Secret, h.local, h.remote)}
		r.Options.HasTimestamps, r.Options.TSEcr = true, h.tsVal
		r.Options.TSVal = stampWith(t.at(l.steady(now)), &h.peer)
	}
	if h.peer.ecn {
		r.Flags |= wire.ECE
	}
	if l.cfg.Answer != nil {
		syn := wire.Segment{Src: h.remote, Dst: h.local, Seq: h.peerISN, Flags: wire.SYN, Options: h.mptcp}
		var b [wire.MaxTCPOptions]byte
		r.Options.SetMPTCP(l.cfg.Answer(b[:0], &syn, wire.MaxTCPOptions-r.Options.Len()))
	}
	l.stats.Answered++
}

// ownScale is the window scale of our SYN-ACKs.
func (l *Listener) ownScale() uint8 {
	n := l.cfg.Conn.MaxReceiveBuffer
	orInt(&n, defaultMaxReceive)
	return scaleFor(min(max(n, l.cfg.Conn.ReceiveBuffer), maxWindow))
}

// reply makes room for one more segment to be sent; nil: there is none.
func (l *Listener) reply() *wire.Segment {
	if len(l.replies) >= maxReplies {
		l.stats.Overflow++
		return nil
	}
	l.replies = append(l.replies, wire.Segment{})
	return &l.replies[len(l.replies)-1]
}

// refuse answers what belongs to no connection, at a limited rate for each source.
func (l *Listener) refuse(at time.Time, s *wire.Segment) error {
	answer := *s
	answer.Data = nil
	if !Reset(&answer) || !l.sources.allow(forRefusal, s.Src.Addr(), at) {
		return errUnsound
	}
	if r := l.reply(); r != nil {
		*r = answer
		l.stats.Refused++
	}
	return errUnsound
}

// Emit fills s with the next segment to be sent; false: none.
func (l *Listener) Emit(_ time.Time, s *wire.Segment) bool {
	s.Reset()
	n := len(l.replies)
	if n == 0 {
		return false
	}
	data := s.Data
	*s = l.replies[n-1]
	s.Data = data
	l.replies = l.replies[:n-1]
	return true
}

// Accept takes a connection whose handshake is complete; false: none. The caller gives it the segments of its pair of
// addresses from now on, and polls it: what completed it may have brought data.
func (l *Listener) Accept() (*Machine, bool) {
	if len(l.ready) == 0 {
		return nil, false
	}
	m := l.ready[0]
	l.ready[0] = nil
	l.ready = l.ready[1:]
	return m, true
}

// Stats counts what the listener has done so far.
func (l *Listener) Stats() ListenerStats { return l.stats }

// HalfOpen is how many handshakes are remembered now.
func (l *Listener) HalfOpen() int { return l.halfUsed }
