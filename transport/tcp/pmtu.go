package tcp

import (
	"time"

	"hawser/transport/wire"
)

const (
	minMTU    = 128  // below any link that carries IP
	leastIPv4 = 552  // packets are not made smaller for IPv4 routers: what asks for less may cut them itself (see tooBig)
	leastIPv6 = 1280 // every IPv6 path takes that: "every link in the Internet have an MTU of 1280 octets or greater" (RFC 8200 §5)
	minMSS    = 88   // a full set of options and some payload; a peer that asks for less is not believed
	raiseTime = 10 * time.Minute
	// raiseGap is between two steps upwards (RFC 4821 §7.6.4 asks for no more than one probe a round trip).
	raiseGap = 2 * time.Second
	// holeTimeouts is how many timeouts of full segments in a row look like a black hole (RFC 4821 §7.7).
	holeTimeouts = 2
)

// steps are the packet sizes without IP and TCP headers that are tried when full ones vanish: what tunnels, DSL and
// IPv6's minimum leave (RFC 4821 §7.3 allows any search strategy).
var steps = [...]int{1440, 1380, 1280, 1200, 984, 536, leastIPv4 - wire.IPv4HeaderLen - wire.TCPHeaderLen}

// pathMTU is what one packet may hold: from the interface, the peer's MSS, ICMP, and black holes noticed.
type pathMTU struct {
	advertised int // our MSS option
	top        int // payload and TCP options of the largest packet the interface and the peer take
	packet     int // of the largest that the path is thought to take
	floor      int // packet is never made smaller
	reserve    int // options that every data segment has
	mss        int // packet without them: payload of a full segment

	timeouts int     // of full segments in a row
	raiseAt  instant // when to try a larger packet; 0: never
	probing  int     // the packet under test or about to be; 0: none
	inFlight bool    // it has left
	hole     bool    // lowered for a black hole, and nothing was acknowledged since
	fragment bool    // routers may cut the packets up: one of them takes none of the least size
}

func (p *pathMTU) init(c *Config) {
	head := wire.IPHeaderLen(c.Remote.Addr()) + wire.TCPHeaderLen
	p.advertised = max(c.MTU-head, 1) // "the MSS … minus the fixed IP and TCP headers" (RFC 6691 §2)
	p.floor = leastIPv4 - head
	if !c.Remote.Addr().Is4() {
		p.floor = leastIPv6 - head
	}
	p.top = p.advertised
	p.set(p.top)
}

// agree takes the handshake in: "Eff.snd.MSS = min(SendMSS+20, MMS_S) - TCPhdrsize - IPoptionsize" (RFC 9293 §3.7.1).
func (p *pathMTU) agree(m *Machine) {
	p.reserve = 0
	if m.peer.stamped {
		p.reserve += wire.TimestampsLen
	}
	if m.cfg.Extension != nil {
		p.reserve += m.cfg.Extension.Room()
	}
	p.top = min(m.peer.mss, p.advertised)
	p.set(min(p.top, p.packet))
}

func (p *pathMTU) set(packet int) {
	p.packet = packet
	p.mss = max(packet-p.reserve, 1)
	p.timeouts = 0
}

// below is the largest step under size, or size if there is none.
func (p *pathMTU) below(size int) int {
	for _, s := range steps {
		if s < size {
			return max(s, min(p.floor, size))
		}
	}
	return size
}

// above is the smallest step over it.
func (p *pathMTU) above() int {
	next := p.top
	for _, s := range steps {
		if s > p.packet {
			next = min(next, s)
		}
	}
	return next
}

// lower makes packets smaller, and plans to see later whether that is still needed.
func (m *Machine) lower(packet int) {
	m.mtu.set(packet)
	m.mtu.probing, m.mtu.inFlight = 0, false
	m.mtu.raiseAt = m.now + raiseTime
	m.stats.MTUDrops++
}

// mtuTimeout notices black holes: large packets are lost repeatedly without a word from ICMP. After the first step down
// each further timeout is another, and the back-off begins anew with it: a smaller packet has not failed yet. If it was
// an outage instead, the way up begins soon after the first acknowledgement.
func (m *Machine) mtuTimeout() {
	p, sp := &m.mtu, m.board.first()
	if sp == m.board.end() {
		return
	}
	size := min(p.packet, sp.packet())
	below := p.below(size)
	last := below >= size // there is nothing smaller to try but pieces
	if last && (size < min(p.floor, p.packet) || p.fragment || !m.cfg.Remote.Addr().Is4()) {
		return
	}
	p.timeouts++
	if p.timeouts < holeTimeouts {
		return
	}
	m.lower(below)
	p.fragment = last
	p.timeouts, p.raiseAt, p.hole = holeTimeouts, 0, true
	m.rto.backoff = 0
	m.rto.at = m.now + m.rto.current()
}

// mtuDelivered learns from what arrives.
func (m *Machine) mtuDelivered(sp *span) {
	p := &m.mtu
	if sp.probe {
		p.inFlight = false
		if p.probing > p.packet {
			p.set(p.probing)
			p.fragment = false
		}
		p.probing = 0
		if p.raiseAt = 0; p.packet < p.top {
			p.raiseAt = m.now + raiseGap
		}
	}
	if sp.packet() >= min(p.floor, p.packet) {
		p.timeouts = 0
	}
	if p.hole {
		p.hole, p.raiseAt = false, m.now+raiseGap
	}
}

// mtuLost tells whether sp was a probe: "the loss … of the probe … MUST NOT be interpreted as an indication of
// congestion" (RFC 4821 §7.1 and §4).
func (m *Machine) mtuLost(sp *span) bool {
	if !sp.probe {
		return false
	}
	sp.probe = false
	m.mtu.probing, m.mtu.inFlight = 0, false
	m.mtu.raiseAt = m.now + raiseTime
	return true
}

// advanceMTU plans a probe when it is time.
func (m *Machine) advanceMTU() {
	p := &m.mtu
	if p.raiseAt == 0 || m.now < p.raiseAt {
		return
	}
	p.raiseAt = 0
	if p.packet < p.top {
		p.probing, p.inFlight = p.above(), false
	} else {
		p.fragment = false // the router says it again if it still has to be
	}
}

// probeSize is the payload of a path MTU probe that is to leave now, 0: none. There must be enough behind it to show
// its loss without a timeout (RFC 4821 §7.2), and nothing else may be wrong.
func (m *Machine) probeSize() int {
	p := &m.mtu
	if p.probing == 0 || p.inFlight || m.rec.phase != open {
		return 0
	}
	n := p.probing - p.reserve
	if int(m.queue.end-m.nxt) < n+4*p.mss || m.window.edge-m.nxt < int64(n+4*p.mss) || m.cwnd()-m.board.inFlight() < n {
		return 0
	}
	return n
}
