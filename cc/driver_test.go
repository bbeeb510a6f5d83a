package cc

import (
	"testing"
	"time"
)

// driver hands a controller one event after another, as a sender would.
type driver struct {
	testing.TB
	c         Controller
	now       time.Time
	delivered int64
	slack     bool // the application limits, not the window
	recovery  bool
}

func drive(t testing.TB, name string) *driver {
	return &driver{TB: t, c: mustNew(t, name, Config{}), now: time.Unix(1_000_000, 0)}
}

// ack delivers bytes of a segment sent when prior had been delivered.
func (d *driver) ack(bytes int, rtt time.Duration, prior int64) {
	d.delivered += int64(bytes)
	d.c.OnAck(d.now, Ack{Bytes: bytes, RTT: rtt, InFlight: d.c.Window(), Delivered: d.delivered, PriorDelivered: prior,
		SentInFlight: d.c.Window(), WindowLimited: !d.slack, InRecovery: d.recovery})
}

// round acknowledges one window, segment by segment, in one round trip.
func (d *driver) round(rtt time.Duration) { d.roundOf(d.c.Window()/simMSS, rtt) }

// roundOf acknowledges n segments in one round trip.
func (d *driver) roundOf(n int, rtt time.Duration) {
	prior := d.delivered
	from := d.now
	for i := range n {
		d.now = from.Add(rtt * time.Duration(i+1) / time.Duration(n))
		// What is acknowledged now was sent a round trip ago: at the same place in the round before.
		d.ack(simMSS, rtt, prior)
	}
}

func (d *driver) loss() {
	d.recovery = true
	d.c.OnLoss(d.now, Loss{Bytes: simMSS, InFlight: d.c.Window() - simMSS, SentInFlight: d.c.Window(), LostSince: simMSS, First: true})
}

func (d *driver) recovered() {
	d.recovery = false
	d.c.OnRecovered(d.now)
}

// toAvoidance ends the first slow start by loss, at the window given in segments or the next above.
func (d *driver) toAvoidance(segments int, rtt time.Duration) {
	for d.c.Window() < segments*simMSS {
		d.ack(simMSS, rtt, d.delivered)
	}
	d.loss()
	d.recovered()
}

func (d *driver) want(what string, got, want int) {
	d.Helper()
	if got != want {
		d.Errorf("%s: %d, want %d", what, got, want)
	}
}

// near wants got within a share of want.
func (d *driver) near(what string, got, want, share float64) {
	d.Helper()
	if got < want*(1-share) || got > want*(1+share) {
		d.Errorf("%s: %.3f, want %.3f within %.0f %%", what, got, want, share*100)
	}
}

func (d *driver) segments() float64 { return float64(d.c.Window()) / simMSS }

const rtt40 = 40 * time.Millisecond
