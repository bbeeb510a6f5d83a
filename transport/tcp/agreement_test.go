package tcp

import (
	"net/netip"
	"testing"

	"hawser/transport/wire"
)

// RFC 9293 §3.7.1 (MUST-15): "If an MSS Option is not received at connection setup, TCP implementations MUST assume a
// default send MSS of 536 (576 - 40) for IPv4 or 1220 (1280 - 60) for IPv6."
func TestPeersThatSayNoSegmentSize(t *testing.T) {
	for _, c := range []struct {
		local, remote string
		want          int
	}{{"192.0.2.1:40000", "198.51.100.7:443", 536}, {"[2001:db8::1]:40000", "[2001:db8:1::2]:443", 1220}} {
		s := dial(t, func(cfg *Config) {
			cfg.Local, cfg.Remote = netip.MustParseAddrPort(c.local), netip.MustParseAddrPort(c.remote)
		})
		s.emit()
		s.answer(func(o *wire.TCPOptions) { o.MSS = 0 })
		s.emit()
		s.append(5000)
		if s.emit(); s.out[0].MSS != c.want {
			t.Errorf("%s: packets of %d bytes, want %d", c.remote, s.out[0].MSS, c.want)
		}
		d := newDesk(t, nil)
		o := fullSYN()
		o.MSS = 0
		d.l.Receive(d.now, &wire.Segment{Src: netip.MustParseAddrPort(c.remote), Dst: netip.MustParseAddrPort(c.local), Flags: wire.SYN, Window: 1000, Options: o})
		m, err := d.complete(d.reply(), "")
		if m == nil || m.mtu.packet != c.want {
			t.Errorf("%s, from there: %v, %v, want packets of %d bytes", c.remote, m, err, c.want)
		}
	}
}

// RFC 9293 §3.7.1 (MUST-16): "The maximum size of a segment that a TCP endpoint really sends, the 'effective send MSS',
// MUST be the smaller of the send MSS … and the largest transmission size permitted by the IP layer", less the options
// (MUST-14, RFC 6691 §3: "the sender MUST reduce the TCP data length to account for any IP or TCP options"); and what we
// say is the MTU less the fixed headers alone (RFC 6691 §2).
func TestSegmentSizeIsTheSmallerOne(t *testing.T) {
	for _, c := range []struct {
		mtu, peer  int
		stamps     bool
		says, uses int
	}{
		{1500, 1460, false, 1460, 1460}, {1500, 1400, false, 1460, 1400}, {1300, 1460, false, 1260, 1260},
		{1500, 1400, true, 1460, 1388}, {9000, 65535, true, 8960, 8948}, {1500, 1, false, 1460, minMSS},
	} {
		s := dial(t, func(cfg *Config) { cfg.MTU, cfg.NoTimestamps = c.mtu, !c.stamps })
		s.emit()
		if says := int(s.out[0].Options.MSS); says != c.says {
			t.Errorf("MTU %d: says %d, want %d", c.mtu, says, c.says)
		}
		if c.stamps {
			s.ts = 7000
		}
		s.answer(func(o *wire.TCPOptions) { o.MSS = uint16(c.peer) })
		s.emit()
		s.append(20_000)
		if s.emit(); s.out[0].MSS != c.uses {
			t.Errorf("MTU %d, peer's MSS %d, timestamps %v: packets of %d bytes, want %d", c.mtu, c.peer, c.stamps, s.out[0].MSS, c.uses)
		}
		for i := range s.out {
			if o := s.out[i].Options; o.MSS != 0 || o.HasWindowScale || o.SACKPermitted {
				t.Errorf("options of SYNs alone in %v", &s.out[i])
			}
		}
	}
}

// RFC 7323 §2.2: "both sides MUST send Window Scale options in their <SYN> segments to enable window scaling in either
// direction"; "The window field in a segment where the SYN bit is set … MUST NOT be scaled"; "A Window Scale option in a
// segment without a SYN bit MUST be ignored"; and §2.3: "If a Window Scale option is received with a shift.cnt value larger
// than 14, the TCP SHOULD log the error but MUST use 14 instead".
func TestWindowScaling(t *testing.T) {
	for _, c := range []struct {
		name        string
		ours, peers bool
		shift       uint8
		edge        int64  // of a window field of 1000
		field       uint16 // that tells our window
	}{
		{"both", true, true, 7, 1 + 1000<<7, 1 << 20 >> 9},
		{"a shift of 0 is scaling, too", true, true, 0, 1 + 1000, 1 << 20 >> 9},
		{"more than 14", true, true, 200, 1 + 1000<<14, 1 << 20 >> 9},
		{"the peer has none", true, false, 7, 1 + 1000, 0xffff - 1},
		{"we have none", false, true, 7, 1 + 1000, 0xffff - 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := dial(t, func(cfg *Config) { cfg.NoWindowScale, cfg.ReceiveBuffer = !c.ours, 1<<20 })
			if s.emit(); s.out[0].Options.HasWindowScale != c.ours || s.out[0].Window != 0xffff {
				t.Errorf("the SYN is %v", &s.out[0])
			}
			s.win = 5000
			s.answer(func(o *wire.TCPOptions) { o.HasWindowScale, o.WindowScale = c.peers, c.shift })
			if s.m.window.edge != 5001 {
				t.Errorf("the SYN-ACK's window was scaled: it ends at %d", s.m.window.edge)
			}
			s.win = 1000
			s.give(ack, 1, 1, "x", wire.TCPOptions{HasWindowScale: true, WindowScale: 3})
			if s.m.window.edge != c.edge {
				t.Errorf("the peer's window ends at %d, want %d", s.m.window.edge, c.edge)
			}
			s.wantRead("x")
			s.m.Acknowledge()
			if s.emit(); s.out[0].Window != c.field {
				t.Errorf("our window is told as %d, want %d", s.out[0].Window, c.field)
			}
		})
	}
}

// The same from the listener's side: "If a Window Scale option was received in the initial <SYN> segment, then this option
// MAY be sent in the <SYN,ACK> segment" (RFC 7323 §2.2), and no other; so with timestamps (§3.2) and SACK-permitted
// (RFC 2018 §2).
func TestListenersOfferWhatTheSynHas(t *testing.T) {
	for _, offer := range []bool{false, true} {
		d := newDesk(t, nil)
		o := wire.TCPOptions{MSS: 1440}
		if offer {
			o = fullSYN()
		}
		d.syn(clientAddr, 1000, o, 0)
		r := d.reply()
		if a := r.Options; a.HasWindowScale != offer || a.HasTimestamps != offer || a.SACKPermitted != offer || r.Window != 0xffff {
			t.Errorf("a SYN with all options: %v; answered with %v", offer, r)
		}
		m, _ := d.complete(r, "")
		if m == nil {
			t.Fatal("not completed")
		}
		if m.peer.scaled != offer || m.peer.stamped != offer || m.peer.sack != offer || !offer && m.window.edge != 501 {
			t.Errorf("agreed on %+v, window to %d", m.peer, m.window.edge)
		}
	}
}

// RFC 7323 §3.2: "Once TSopt has been successfully negotiated, that is both <SYN> and <SYN,ACK> contain TSopt, the TSopt
// MUST be sent in every non-<RST> segment for the duration of the connection, and SHOULD be sent in an <RST> segment"; and
// in none if it was not.
func TestTimestampsInEverySegment(t *testing.T) {
	for _, peers := range []bool{false, true} {
		s := dial(t, func(c *Config) { c.NoTimestamps = false })
		if s.emit(); !s.out[0].Options.HasTimestamps || s.out[0].Options.TSEcr != 0 {
			t.Errorf("the SYN is %v", &s.out[0])
		}
		if peers {
			s.ts = 7000
		}
		s.answer(func(*wire.TCPOptions) {})
		all := []wire.Segment{}
		take := func() { s.emit(); all = append(all, s.out...) }
		take()
		s.append(3000)
		take()
		s.give(ack, 1, 1, "x")
		s.m.Acknowledge()
		take()
		s.expire()
		take()
		s.m.CloseWrite()
		take()
		s.m.Abort(nil)
		take()
		if len(all) < 6 || !all[len(all)-1].Flags.Has(wire.RST) {
			t.Fatalf("%d segments", len(all))
		}
		for i := range all {
			if o := all[i].Options; o.HasTimestamps != peers || peers && o.TSEcr != 7000 {
				t.Errorf("peer with timestamps: %v; sent %v", peers, &all[i])
			}
		}
	}
}

// RFC 2018 §2: SACK-permitted "MUST NOT be sent on non-SYN segments", and §3: blocks go to a peer that has sent it, and
// are read from one to which it was sent.
func TestSACKOnlyWhenPermitted(t *testing.T) {
	for _, c := range []struct{ ours, peers bool }{{true, true}, {true, false}, {false, true}} {
		s := dial(t, func(cfg *Config) { cfg.NoSACK = !c.ours })
		if s.emit(); s.out[0].Options.SACKPermitted != c.ours {
			t.Errorf("the SYN is %v", &s.out[0])
		}
		s.answer(func(o *wire.TCPOptions) { o.SACKPermitted = c.peers })
		s.emit()
		s.give(ack, 101, 1, "x")
		if s.emit(); (s.out[0].Options.NumSACK > 0) != (c.ours && c.peers) {
			t.Errorf("ours %v, the peer's %v: %v", c.ours, c.peers, &s.out[0])
		}
		s.append(3000)
		s.emit()
		s.give(ack, 1, 1, "", s.sack(1001, 3001)) // a whole packet of it, whatever options they have
		if (s.m.board.sacked > 0) != (c.ours && c.peers) {
			t.Errorf("ours %v, the peer's %v: %d bytes count as received", c.ours, c.peers, s.m.board.sacked)
		}
	}
}
