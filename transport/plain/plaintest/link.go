package plaintest

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"hawser/transport/linksim"
)

// LinkConfig is what a direction of a link does to packets: what the lab's emulator does to frames (test/netlab).
type LinkConfig struct {
	Rate   int           // bit/s of frames; 0: without limit
	Delay  time.Duration // one way, after the bottleneck
	Jitter time.Duration // the delay wanders within Delay ± Jitter; packets keep their order
	Queue  int           // bytes that wait for the bottleneck; 0: 1.5 × Rate × 2 Delay, at least 30 packets
	Loss   float64       // share of packets (0–1) lost after the bottleneck, acknowledgements too
}

// queue is the size of the queue in force.
func (c LinkConfig) queue() int {
	if c.Queue > 0 {
		return c.Queue
	}
	bdp := float64(c.Rate) / 8 * 2 * c.Delay.Seconds()
	return max(int(1.5*bdp), 30*packetSize)
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

// SetLoss sets the share of packets that is lost.
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

// wakeStep is the grain of arrivals: hosts handle what comes within it together, as a network card's interrupts and a
// machine's scheduler make them. It is what makes the kernel's BBR take a rate for a little too high.
const wakeStep = 250 * time.Microsecond

// direction is one way of a link: a queue, a bottleneck that serves one packet after the other, a delay. n.mu guards it.
type direction struct {
	LinkConfig
	n         *Network
	loss      *rand.Rand
	wander    linksim.Wander
	black     bool
	era       int // packets of an earlier era were swallowed under way
	waiting   []packet
	queued    int       // bytes in waiting, the packet in service included
	last      time.Time // when the newest packet arrives: order is kept
	delivered uint64
}

// packet is what travels.
type packet struct {
	size   int
	arrive func(now time.Time)
}

func newDirection(n *Network, c LinkConfig, id uint64) *direction {
	stream := func(k uint64) *rand.Rand { return rand.New(rand.NewPCG(n.cfg.Seed, id<<8|k)) }
	return &direction{n: n, LinkConfig: c, loss: stream(1), wander: linksim.NewWander(stream(2))}
}

// send puts a packet in the queue, or drops it.
func (d *direction) send(now time.Time, p packet) {
	if d.black || d.queued+p.size > d.queue() && d.Rate > 0 {
		return
	}
	if d.Rate == 0 && len(d.waiting) == 0 {
		d.fly(now, p)
		return
	}
	d.waiting = append(d.waiting, p)
	d.queued += p.size
	if len(d.waiting) == 1 {
		d.serve(now)
	}
}

// serve starts the bottleneck on the first packet of the queue.
func (d *direction) serve(now time.Time) {
	rate := int64(d.Rate)
	if rate == 0 {
		rate = 1 << 40
	}
	took := time.Duration(int64(d.waiting[0].size) * 8 * int64(time.Second) / rate)
	d.n.timeline.At(now.Add(took), func(now time.Time) {
		p := d.waiting[0]
		d.waiting[0] = packet{}
		d.waiting = d.waiting[1:]
		d.queued -= p.size
		d.fly(now, p)
		if len(d.waiting) > 0 {
			d.serve(now)
		}
	})
}

// fly delivers a packet after the delay, or loses it.
func (d *direction) fly(now time.Time, p packet) {
	if d.black || d.Loss > 0 && d.loss.Float64() < d.Loss {
		return
	}
	delay := d.Delay
	if d.Jitter > 0 {
		delay += time.Duration(float64(d.Jitter) * d.wander.At(time.Duration(now.UnixNano())))
	}
	at := now.Add(max(delay, 0))
	if at.Before(d.last) {
		at = d.last
	}
	if late := at.Sub(at.Truncate(wakeStep)); late > 0 {
		at = at.Add(wakeStep - late)
	}
	d.last = at
	era := d.era
	d.n.timeline.At(at, func(now time.Time) {
		if era == d.era {
			d.delivered += uint64(p.size)
			p.arrive(now)
		}
	})
}
