package plaintest

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// LinkConfig is what a direction of a link does to packets.
type LinkConfig struct {
	Rate   int           // bit/s; 0: without limit
	Delay  time.Duration // one way
	Jitter time.Duration // up to this much more, at random; packets keep their order
	Queue  int           // bytes that wait for the link; 0: 1.5 × Rate × 2 Delay, at least 30 packets
	Loss   float64       // 0–1, of data packets
}

// queue is the size of the queue in force.
func (c LinkConfig) queue() int {
	if c.Queue > 0 {
		return c.Queue
	}
	bdp := float64(c.Rate) / 8 * 2 * c.Delay.Seconds()
	return max(int(1.5*bdp), 30*(segmentSize+headerSize))
}

// Dir chooses a direction of a Link.
type Dir uint8

// The directions: Up is client to server.
const (
	Up Dir = 1 << iota
	Down
	Both = Up | Down
)

// Link is an uplink. All methods may be called while traffic runs.
type Link struct {
	n      *Network
	name   string
	client netip.Addr // the client's address on it
	port   uint16
	up     *direction
	down   *direction

	sockets map[*socket]struct{}
}

// Set changes a link's direction as edit says.
func (l *Link) Set(d Dir, edit func(*LinkConfig)) {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	for _, dir := range l.dirs(d) {
		edit(&dir.LinkConfig)
	}
}

// SetRate sets the rate, bit/s; what waits in the queue leaves at the new rate.
func (l *Link) SetRate(d Dir, rate int) { l.Set(d, func(c *LinkConfig) { c.Rate = rate }) }

// SetDelay sets the one-way delay of what leaves the queue from now on.
func (l *Link) SetDelay(d Dir, delay time.Duration) {
	l.Set(d, func(c *LinkConfig) { c.Delay = delay })
}

// SetLoss sets the share of data packets that is lost.
func (l *Link) SetLoss(d Dir, loss float64) { l.Set(d, func(c *LinkConfig) { c.Loss = loss }) }

// SetDown makes a direction swallow everything, without a word to anybody, or ends that. What is under way is lost too.
func (l *Link) SetDown(d Dir, down bool) {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	for _, dir := range l.dirs(d) {
		dir.black = down
		dir.era++
	}
}

// Reset ends all connections of the link with a reset at both ends, as a middlebox would.
func (l *Link) Reset() {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	for s := range l.sockets {
		s.fail(errReset)
	}
}

// Bytes is what a direction has delivered, headers included.
func (l *Link) Bytes(d Dir) (sum uint64) {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	for _, dir := range l.dirs(d) {
		sum += dir.delivered
	}
	return sum
}

// Conns is the number of connections that are open on the link.
func (l *Link) Conns() int {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	return (len(l.sockets) + 1) / 2
}

func (l *Link) dirs(d Dir) (out []*direction) {
	if d&Up != 0 {
		out = append(out, l.up)
	}
	if d&Down != 0 {
		out = append(out, l.down)
	}
	return out
}

// direction is one way of a link: a queue, a serialiser, a delay. n.mu guards it.
type direction struct {
	LinkConfig
	n         *Network
	black     bool
	era       int // packets of an earlier era were swallowed under way
	waiting   []packet
	queued    int // bytes in waiting
	busy      bool
	last      time.Time // when the newest packet arrives: order is kept
	delivered uint64
}

// packet is what travels.
type packet struct {
	size   int
	rng    *rand.Rand // of the connection
	lossy  bool       // the link's loss applies
	arrive func(now time.Time)
}

// send puts a packet in the queue, or drops it.
func (d *direction) send(now time.Time, p packet) {
	if d.black || d.queued+p.size > d.queue() && d.Rate > 0 {
		return
	}
	if p.lossy && d.Loss > 0 && p.rng.Float64() < d.Loss {
		return
	}
	if d.Rate == 0 {
		d.fly(now, p)
		return
	}
	d.waiting = append(d.waiting, p)
	d.queued += p.size
	if !d.busy {
		d.serialise(now)
	}
}

// serialise sends the first waiting packet.
func (d *direction) serialise(now time.Time) {
	d.busy = len(d.waiting) > 0
	if !d.busy {
		return
	}
	p := d.waiting[0]
	rate := max(d.Rate, 1)
	if d.Rate == 0 {
		rate = 1 << 40
	}
	d.n.at(now.Add(time.Duration(int64(p.size)*8*int64(time.Second)/int64(rate))), func(now time.Time) {
		d.waiting[0] = packet{}
		d.waiting = d.waiting[1:]
		d.queued -= p.size
		d.fly(now, p)
		d.serialise(now)
	})
}

// fly delivers a packet after the delay.
func (d *direction) fly(now time.Time, p packet) {
	if d.black {
		return
	}
	at := now.Add(d.Delay)
	if d.Jitter > 0 {
		at = at.Add(time.Duration(p.rng.Int64N(int64(d.Jitter))))
	}
	if at.Before(d.last) {
		at = d.last
	}
	d.last = at
	era := d.era
	d.n.at(at, func(now time.Time) {
		if era == d.era {
			d.delivered += uint64(p.size)
			p.arrive(now)
		}
	})
}
