package netlab

import (
	"errors"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
)

// Host is the host on a side.
func (k *Link) Host(s Side) *Host { return k.hosts[s] }

// Interface is the name of the interface on a side.
func (k *Link) Interface(s Side) string { return k.names[s] }

// Addr is the first IPv4 address of a side now; invalid: none.
func (k *Link) Addr(s Side) netip.Addr { return k.first(s, true) }

// Addr6 is the first IPv6 address of a side now; invalid: none.
func (k *Link) Addr6(s Side) netip.Addr { return k.first(s, false) }

func (k *Link) first(s Side, v4 bool) netip.Addr {
	for _, p := range k.hosts[s].Addrs(k.names[s]) {
		if p.Addr().Is4() == v4 {
			return p.Addr()
		}
	}
	return netip.Addr{}
}

var errNotEmulated = errors.New("the link is a plain veth pair: set LinkConfig.Emulate")

// SetRate changes the rate of one or both directions, in bit/s; 0: unlimited. The frame in service keeps its time.
func (k *Link) SetRate(d Direction, rate int64) { k.Change(d, func(s *Shape) { s.Rate = rate }) }

// SetDelay changes the delay of frames that pass the bottleneck from now on. A queue of default length follows.
func (k *Link) SetDelay(d Direction, delay time.Duration) {
	k.Change(d, func(s *Shape) { s.Delay = delay })
}

// SetLoss changes the share of frames lost, 0–1.
func (k *Link) SetLoss(d Direction, loss float64) { k.Change(d, func(s *Shape) { s.Loss = loss }) }

// SetShape changes everything about one or both directions.
func (k *Link) SetShape(d Direction, shape Shape) { k.Change(d, func(s *Shape) { *s = shape }) }

// Change edits the shape of one or both directions. f is called once for each.
func (k *Link) Change(d Direction, f func(*Shape)) {
	k.control("change", func() error {
		k.mu.Lock()
		defer k.mu.Unlock()
		shapes := k.shapes
		for _, side := range d.each() {
			f(&shapes[side])
			if err := shapes[side].validate(); err != nil {
				return err
			}
		}
		k.shapes = shapes
		k.wire.change(func() { k.wire.setShapes(shapes) })
		return nil
	})
}

// Shape returns how a single direction is shaped.
func (k *Link) Shape(d Direction) Shape {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.shapes[d.start()]
}

// BlackHole loses everything in one or both directions while on is true, and what is on its way when it starts. The
// interfaces stay up and neighbours stay known.
func (k *Link) BlackHole(d Direction, on bool) {
	k.control("black hole", func() error {
		k.wire.change(func() {
			for _, side := range d.each() {
				k.wire.ends[side].pipe.setDark(time.Since(k.wire.epoch), on)
			}
		})
		return nil
	})
}

// SetStages puts middleboxes into one or both directions, in place of those there. What these hold is lost.
func (k *Link) SetStages(d Direction, stages ...Stage) {
	k.control("stages", func() error {
		k.wire.change(func() {
			for _, side := range d.each() {
				k.wire.ends[side].chain.stages = stages
			}
		})
		return nil
	})
}

// Sync runs f while no stage of the link runs, and has the stages' deadlines asked anew. That is how a test speaks to
// its stages. f must not call methods of the link.
func (k *Link) Sync(f func()) {
	k.control("sync", func() error {
		k.wire.change(f)
		return nil
	})
}

// control runs an operation that only an emulated link has.
func (k *Link) control(what string, f func() error) {
	k.lab.do(what+" on link "+k.names[SideA], func() error {
		if k.wire == nil {
			return errNotEmulated
		}
		return f()
	})
}

// Counters returns the totals of a single direction since the link was made. A link that is not emulated has only what
// its receiving interface counts.
func (k *Link) Counters(d Direction) (c Counters) {
	k.lab.do("counters of "+k.names[SideA], func() error {
		if k.wire != nil {
			k.wire.change(func() { c = k.wire.ends[d.start()].pipe.tally.snapshot() })
			return nil
		}
		s := d.start().other()
		return k.hosts[s].setLink(k.names[s], func(dev netlink.Link) error {
			if stats := dev.Attrs().Statistics; stats != nil {
				c.Packets, c.Bytes = int64(stats.RxPackets), int64(stats.RxBytes)
				c.InPackets, c.InBytes = c.Packets, c.Bytes
			}
			return nil
		})
	})
	return c
}

// Bytes returns the bytes that a direction, or both, has delivered since the link was made, Ethernet headers included.
func (k *Link) Bytes(d Direction) (sum int64) {
	for _, side := range d.each() {
		sum += k.Counters(side.outward()).Bytes
	}
	return sum
}

// BytesBetween returns the bytes that a direction, or both, has delivered between two times of the last two minutes,
// to 10 ms.
func (k *Link) BytesBetween(d Direction, from, to time.Time) (sum int64) {
	k.control("bytes", func() error {
		k.wire.change(func() {
			for _, side := range d.each() {
				t := &k.wire.ends[side].pipe.tally
				sum += t.between(from.Sub(k.wire.epoch), to.Sub(k.wire.epoch))
			}
		})
		return nil
	})
	return sum
}
