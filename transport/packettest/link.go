package packettest

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"hawser/transport/packet"
)

// LinkConfig is what a direction of a link does to segments. The zero value is a perfect link with an MTU of 1500.
type LinkConfig struct {
	Rate    int           // bit/s of IP packets; 0: without limit
	Delay   time.Duration // one way
	Jitter  time.Duration // up to this much more, at random; the order is kept
	Queue   int           // bytes that wait for the link; 0: 1.5 × Rate × 2 Delay, at least 30 packets
	Loss    float64       // 0–1, of segments
	Reorder float64       // 0–1, of segments: they arrive without the Delay, before what left earlier

	// MTU of the interface, bytes of IP packet; 0: 1500. Path is the smaller one of a router behind it; 0: none. What
	// does not fit that is dropped, with a report to the sender a round trip later, unless Silent. What may be fragmented
	// arrives as if it had been, and put together again.
	MTU    int
	Path   int
	Silent bool

	// Local makes the queue this host's own: when it is full, WriteBatch answers packet.ErrCongested, and nothing is
	// dropped.
	Local bool

	// Tamper, not nil, is a middlebox: it may change a segment. It runs in order, one at a time, with the network held:
	// it must call none of it. false: the segment is dropped.
	Tamper func(*packet.Packet) bool
}

const ordinaryMTU = 1500

func (c LinkConfig) mtu() int {
	if c.MTU == 0 {
		return ordinaryMTU
	}
	return c.MTU
}

// queue is the size of the queue in force.
func (c LinkConfig) queue() int {
	if c.Queue > 0 {
		return c.Queue
	}
	return max(int(1.5*float64(c.Rate)/8*2*c.Delay.Seconds()), 30*c.mtu())
}

// Side is an end of a Link.
type Side uint8

// The sides, in the order of Network.Link's arguments.
const (
	SideA Side = iota
	SideB
)

// Link joins two hosts.
type Link struct {
	n     *Network
	index int
	ends  [2]*end
}

// end is a host's interface and what it sends.
type end struct {
	link   *Link
	host   *Host
	v4, v6 netip.Addr
	out    *direction
}

// Index is the interface's index on both hosts.
func (k *Link) Index() int { return k.index }

// Addr is a side's IPv4 address.
func (k *Link) Addr(s Side) netip.Addr { return k.ends[s].v4 }

// Addr6 is a side's IPv6 address.
func (k *Link) Addr6(s Side) netip.Addr { return k.ends[s].v6 }

// Set changes what one side sends.
func (k *Link) Set(from Side, edit func(*LinkConfig)) {
	k.n.mu.Lock()
	defer k.n.mu.Unlock()
	edit(&k.ends[from].out.LinkConfig)
}

// SetMTU changes a side's interface MTU, and reports that to its Conns as the system would.
func (k *Link) SetMTU(of Side, mtu int) {
	k.n.mu.Lock()
	defer k.n.mu.Unlock()
	e := k.ends[of]
	e.out.MTU = mtu
	for _, c := range e.host.conns {
		if c.index == 0 || c.index == k.index {
			c.put(packet.Packet{Interface: k.index, At: time.Now(), Report: &packet.Report{Kind: packet.ReportMTU, MTU: mtu}})
		}
	}
}

// BlackHole makes what one side sends vanish, also what is under way, without a word to anybody; or ends that.
func (k *Link) BlackHole(from Side, on bool) {
	k.n.mu.Lock()
	defer k.n.mu.Unlock()
	d := k.ends[from].out
	d.black = on
	d.era++
}

// Counters are what has become of the segments that a side has sent.
type Counters struct {
	Sent      int   // taken from WriteBatch
	Delivered int   // handed to the other host, wanted there or not
	Bytes     int64 // of IP packets delivered
	Dropped   int   // by a full queue
	Lost      int   // by Loss, Tamper, Path or a black hole
}

// Counters reads a side's.
func (k *Link) Counters(from Side) Counters {
	k.n.mu.Lock()
	defer k.n.mu.Unlock()
	return k.ends[from].out.counters
}

// direction is one way of a link: a queue, a serialiser, a delay. n.mu guards it.
type direction struct {
	LinkConfig
	n        *Network
	to       *end
	rng      *rand.Rand
	black    bool
	era      int       // segments of an earlier era were swallowed under way
	free     time.Time // when the serialiser has sent all that waits
	queued   int       // bytes that wait
	last     time.Time // when the newest segment arrives: order is kept
	counters Counters
}

// room says whether the queue takes a packet of that size.
func (d *direction) room(size int) bool { return d.Rate == 0 || d.queued+size <= d.queue() }

// send puts a segment in the queue, or drops it.
func (d *direction) send(now time.Time, p packet.Packet) {
	size := wireSize(&p)
	d.counters.Sent++
	switch {
	case !d.room(size):
		d.counters.Dropped++
		p.Release()
		return
	case d.Rate == 0:
		d.fly(now, p, size)
		return
	}
	if d.free.Before(now) {
		d.free = now
	}
	d.free = d.free.Add(time.Duration(int64(size) * 8 * int64(time.Second) / int64(d.Rate)))
	d.queued += size
	d.n.timeline.At(d.free, func(now time.Time) {
		d.queued -= size
		d.fly(now, p, size)
	})
}

// fly decides about a segment that has left the queue, and delivers it after the delay. The same random numbers are
// drawn whatever the decision, so that a change of one setting does not change the fate of later segments.
func (d *direction) fly(now time.Time, p packet.Packet, size int) {
	lost, early, late := d.rng.Float64() < d.Loss, d.rng.Float64() < d.Reorder, d.rng.Float64()
	tooBig := d.Path > 0 && size > d.Path && !(p.Fragment && p.Local.Is4())
	if tooBig && !d.Silent && !d.black {
		d.tooBig(now, &p)
	}
	if d.black || lost || tooBig || d.Tamper != nil && !d.Tamper(&p) {
		d.counters.Lost++
		p.Release()
		return
	}
	at := now.Add(d.Delay + time.Duration(late*float64(d.Jitter)))
	switch {
	case early:
		at = now
	case at.Before(d.last):
		at = d.last
	}
	if !early {
		d.last = at
	}
	era := d.era
	d.n.timeline.At(at, func(now time.Time) {
		if era != d.era {
			d.counters.Lost++
			p.Release()
			return
		}
		d.counters.Delivered++
		d.counters.Bytes += int64(size)
		d.to.receive(now, p)
	})
}
