package rawtcp

import (
	"testing"
	"time"

	"hawser/transport/packet"
	"hawser/transport/packettest"
)

const megabyte = 1 << 20

// Every kind of path, both directions at once, both families: the bytes come whole and both ends close in order.
func TestTransfersComeWholeOverEveryKindOfPath(t *testing.T) {
	base := packettest.LinkConfig{Rate: 50e6, Delay: 10 * time.Millisecond}
	with := func(edit func(*packettest.LinkConfig)) packettest.LinkConfig {
		c := base
		edit(&c)
		return c
	}
	for name, link := range map[string]packettest.LinkConfig{
		"perfect":       {},
		"shaped":        base,
		"lossy":         with(func(c *packettest.LinkConfig) { c.Loss = 0.02 }),
		"very lossy":    with(func(c *packettest.LinkConfig) { c.Loss = 0.1 }),
		"reordering":    with(func(c *packettest.LinkConfig) { c.Reorder = 0.05 }),
		"jittery":       with(func(c *packettest.LinkConfig) { c.Jitter = 20 * time.Millisecond }),
		"tiny MTU":      with(func(c *packettest.LinkConfig) { c.MTU = 576 }),
		"smaller path":  with(func(c *packettest.LinkConfig) { c.Path = 1300 }),
		"silent path":   with(func(c *packettest.LinkConfig) { c.Path, c.Silent = 1300, true }),
		"short queue":   with(func(c *packettest.LinkConfig) { c.Queue = 10 * 1500 }),
		"local queue":   with(func(c *packettest.LinkConfig) { c.Local, c.Queue = true, 20*1500 }),
		"everything":    with(func(c *packettest.LinkConfig) { c.Loss, c.Reorder, c.Jitter = 0.01, 0.02, 5*time.Millisecond }),
		"loss, no rate": {Delay: 5 * time.Millisecond, Loss: 0.01},
	} {
		for _, v6 := range []bool{false, true} {
			t.Run(name+map[bool]string{false: "/IPv4", true: "/IPv6"}[v6], func(t *testing.T) {
				inBubble(t, 1, link, func(r *rig) {
					r.v6 = v6
					client, server := r.connect()
					r.converse(client, server, 2*megabyte, megabyte)
				})
			})
		}
	}
}

// Duplicates are made by the reader's side: every tenth segment comes twice.
func TestDuplicatedSegmentsDoNoHarm(t *testing.T) {
	var twice func(p packet.Packet)
	n := 0
	link := packettest.LinkConfig{Rate: 50e6, Delay: 10 * time.Millisecond}
	link.Tamper = func(p *packet.Packet) bool {
		if n++; n%10 == 0 {
			q := *p
			q.Own() // memory of its own
			twice(q)
		}
		return true
	}
	inBubble(t, 1, link, func(r *rig) {
		copies := 0
		twice = func(p packet.Packet) {
			copies++
			p.Local, p.Remote = p.Remote, p.Local
			to := r.sconn
			if p.Local == r.link.Addr(packettest.SideA) {
				to = r.cconn
			}
			time.AfterFunc(15*time.Millisecond, func() {
				to.Inject(p)
				p.Release()
			})
		}
		client, server := r.connect()
		r.converse(client, server, megabyte, megabyte)
		if copies < 50 {
			t.Errorf("only %d segments came twice", copies)
		}
	})
}

func TestALinkIsFilled(t *testing.T) {
	const rate = 50e6
	inBubble(t, 1, packettest.LinkConfig{Rate: rate, Delay: 10 * time.Millisecond}, func(r *rig) {
		client, server := r.connect()
		began := time.Now()
		r.converse(client, server, 10*megabyte, 0)
		// Until the last of the two is over, TIME-WAIT included.
		took := time.Since(began) - time.Minute
		least := time.Duration(10 * megabyte * 8 * int64(time.Second) / rate)
		if took > least*5/4 {
			t.Errorf("10 MB took %v, the link needs %v", took, least)
		}
	})
}

// While the local queue is full, nothing is lost and nothing is reported as loss.
func TestAFullLocalQueueIsNoLoss(t *testing.T) {
	link := packettest.LinkConfig{Rate: 20e6, Delay: 10 * time.Millisecond, Local: true, Queue: 20 * 1500}
	inBubble(t, 1, link, func(r *rig) {
		client, server := r.connect()
		r.converse(client, server, 4*megabyte, 0)
		st := client.Stats()
		if st.Stalls == 0 {
			t.Error("the local queue was never full: the test shows nothing")
		}
		if st.Stats.Retransmitted > 0 || st.Stats.Timeouts > 0 {
			t.Errorf("%+v", st.Stats)
		}
	})
}
