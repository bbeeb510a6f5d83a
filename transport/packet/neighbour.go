package packet

import "time"

// neighState is the kernel's state of a neighbour (NUD_* of linux/neighbour.h; RFC 4861 §7.3.2 has most of them).
type neighState uint16

const (
	neighIncomplete neighState = 0x01
	neighReachable  neighState = 0x02
	neighStale      neighState = 0x04
	neighDelay      neighState = 0x08
	neighProbe      neighState = 0x10
	neighFailed     neighState = 0x20
	neighNoARP      neighState = 0x40
	neighPermanent  neighState = 0x80
)

// neighRefresh is how often a packet goes by raw IP although the neighbour is known, so that the kernel sees it used.
const neighRefresh = time.Second

// neighbour is the next hop's entry in the kernel's table, as far as the kernel tells, and what that allows. Packet
// sockets neither resolve nor refresh an entry, so now and then a packet has to go through the kernel's own output. Its
// owner locks.
type neighbour struct {
	state  neighState   // 0: there is none
	mac    hardwareAddr // the last that was known
	asked  bool         // STALE: the kernel has been given a packet for it, and is in DELAY by now, which it does not tell
	viaRaw time.Time    // when a packet was last sent through the kernel's output
}

// hardwareAddr is an Ethernet address.
type hardwareAddr [6]byte

// learn takes what the kernel has announced. An entry that is being resolved, has failed or is gone comes without address.
func (n *neighbour) learn(s neighState, mac hardwareAddr) {
	if mac == (hardwareAddr{}) {
		mac = n.mac
	}
	if s != n.state || mac != n.mac {
		n.asked = false
	}
	n.state, n.mac = s, mac
}

// direct says whether a packet may be sent to the neighbour's address past the kernel's output. False: it has to go by
// raw IP, and does (the caller must). single: it is one small segment, which costs little that way.
//
// A stale address is used as the kernel uses it: the first packet goes by raw IP and makes the kernel verify the
// address within five seconds (RFC 4861 §7.3.3), what follows goes to the address as it is.
func (n *neighbour) direct(now time.Time, single bool) bool {
	switch {
	case n.state&(neighPermanent|neighNoARP) != 0:
		return true
	case n.state&neighStale != 0 && !n.asked:
		n.asked = true
	case n.state&(neighReachable|neighStale|neighDelay|neighProbe) == 0:
	case single && now.Sub(n.viaRaw) >= neighRefresh:
	default:
		return true
	}
	n.viaRaw = now
	return false
}
