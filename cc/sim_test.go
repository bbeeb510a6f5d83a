package cc

import (
	"container/heap"
	"math/rand/v2"
	"testing"
	"time"
)

// A link is one bottleneck in virtual time: a queue of bounded length, a rate, a delay, and what else may befall.
type link struct {
	rate  int           // bytes/s
	delay time.Duration // there and back, without the queue
	queue int           // bytes that may wait; 0: without bound
	loss  float64       // of each segment, independently
	mark  int           // bytes queued from which segments are marked; 0: never
	batch time.Duration // acknowledgements arrive together, this far apart; 0: each at once
}

const simMSS = 1448

// simEvent is something that happens at a time; equal times keep their order.
type simEvent struct {
	at    time.Duration
	order int
	do    func()
}

type simEvents []simEvent

func (e simEvents) Len() int { return len(e) }
func (e simEvents) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e simEvents) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *simEvents) Push(x any)   { *e = append(*e, x.(simEvent)) }
func (e *simEvents) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// sim runs flows over one link.
type sim struct {
	t      *testing.T
	link   link
	now    time.Duration
	events simEvents
	order  int
	random *rand.Rand

	freeAt   time.Duration // when the link has sent what it holds
	maxQueue time.Duration // longest wait in the queue since resetQueue
	dropped  int
}

func newSim(t *testing.T, l link) *sim {
	return &sim{t: t, link: l, random: rand.New(rand.NewPCG(1, 2))}
}

func (s *sim) at(d time.Duration, do func()) {
	s.order++
	heap.Push(&s.events, simEvent{at: d, order: s.order, do: do})
}

// run lets time pass until d.
func (s *sim) run(d time.Duration) {
	for len(s.events) > 0 && s.events[0].at <= d {
		e := heap.Pop(&s.events).(simEvent)
		s.now = e.at
		e.do()
	}
	s.now = d
}

func (s *sim) clock() time.Time { return time.Unix(1_000_000, 0).Add(s.now) }

// carry takes a segment and brings its acknowledgement back, or nothing.
func (s *sim) carry(f *flow, p *segment) {
	start := max(s.now, s.freeAt)
	waiting := int((start - s.now).Seconds() * float64(s.link.rate))
	if s.link.queue > 0 && waiting+simMSS > s.link.queue || s.random.Float64() < s.link.loss {
		s.dropped++
		return
	}
	marked := s.link.mark > 0 && waiting > s.link.mark
	s.maxQueue = max(s.maxQueue, start-s.now)
	s.freeAt = start + time.Duration(float64(simMSS)/float64(s.link.rate)*float64(time.Second))
	arrival := s.freeAt + s.link.delay
	if b := s.link.batch; b > 0 {
		arrival = (arrival + b - 1) / b * b
	}
	s.at(arrival, func() { f.acknowledge(p, marked) })
}

// segment is what a sender remembers of each.
type segment struct {
	seq             int
	sent            time.Duration
	delivered       int64
	deliveredAt     time.Duration
	firstSent       time.Duration
	inFlight, lost  int
	appLimited, out bool
}

// flow is a sender with a controller, endless data and a scoreboard: a segment is lost when three later ones arrived.
type flow struct {
	*sim
	c Controller

	next     int // of the segments
	unacked  []*segment
	inFlight int
	sendAt   time.Duration
	waking   bool
	idle     bool // the application pauses
	idleFrom time.Duration
	limit    time.Duration // between segments of an application that is slower than the path; 0: it is not

	delivered              int64
	deliveredAt, firstSent time.Duration
	lost                   int
	appLimitedUntil        int64
	windowLimited          bool
	recovery               bool
	recoveryEnd            int
	srtt                   time.Duration
	timer                  int
	timeouts               int
	watch                  func()
}

func (s *sim) flow(c Controller) *flow {
	f := &flow{sim: s, c: c, appLimitedUntil: -1}
	s.at(s.now, f.send)
	return f
}

// send sends what window and pacing allow.
func (f *flow) send() {
	for !f.idle {
		if f.inFlight+simMSS > max(f.c.Window(), simMSS) {
			f.windowLimited = true
			return
		}
		if f.sendAt > f.now {
			f.wake(f.sendAt)
			return
		}
		f.sendOne()
	}
}

func (f *flow) wake(at time.Duration) {
	if !f.waking {
		f.waking = true
		f.at(at, func() { f.waking = false; f.send() })
	}
}

func (f *flow) sendOne() {
	if f.inFlight == 0 {
		f.firstSent, f.deliveredAt = f.now, f.now
	}
	f.inFlight += simMSS
	p := &segment{seq: f.next, sent: f.now, delivered: f.delivered, deliveredAt: f.deliveredAt, firstSent: f.firstSent,
		inFlight: f.inFlight, lost: f.lost, appLimited: f.delivered <= f.appLimitedUntil, out: true}
	f.next++
	f.unacked = append(f.unacked, p)
	f.c.OnSend(f.clock(), simMSS, f.inFlight)
	gap := f.limit
	if gap > 0 {
		f.appLimitedUntil = f.delivered + int64(f.inFlight)
	}
	if r := f.c.Rate(); r > 0 {
		gap = max(gap, time.Duration(float64(simMSS)/float64(r)*float64(time.Second)))
	}
	f.sendAt = max(f.now, f.sendAt) + gap
	f.carry(f, p)
	f.arm()
}

// arm starts the retransmission timer anew.
func (f *flow) arm() {
	f.timer++
	timer := f.timer
	rto := max(3*f.srtt, 200*time.Millisecond)
	if f.srtt == 0 {
		rto = time.Second
	}
	f.at(f.now+rto, func() {
		if timer == f.timer && f.inFlight > 0 {
			f.timeout()
		}
	})
}

func (f *flow) timeout() {
	f.timeouts++
	f.c.OnTimeout(f.clock(), f.inFlight)
	for _, p := range f.unacked {
		p.out = false
	}
	f.lost += f.inFlight
	f.unacked, f.inFlight = nil, 0
	f.recovery, f.recoveryEnd = true, f.next
	f.sendAt = f.now
	f.send()
	f.arm()
}

// acknowledge handles the arrival of p at the other end.
func (f *flow) acknowledge(p *segment, marked bool) {
	if !p.out {
		return
	}
	p.out = false
	f.inFlight -= simMSS
	f.delivered += simMSS
	f.deliveredAt = f.now
	f.lose(p.seq)
	if marked && !f.recovery {
		f.recovery, f.recoveryEnd = true, f.next
		f.c.OnLoss(f.clock(), Loss{InFlight: f.inFlight, SentInFlight: p.inFlight, First: true, ECN: true})
	}
	if f.recovery && p.seq >= f.recoveryEnd && (len(f.unacked) == 0 || f.unacked[0].seq >= f.recoveryEnd) {
		f.recovery = false
		f.c.OnRecovered(f.clock())
	}
	rtt := f.now - p.sent
	if f.srtt == 0 {
		f.srtt = rtt
	}
	f.srtt += (rtt - f.srtt) / 8
	interval := max(p.sent-p.firstSent, f.now-p.deliveredAt)
	f.firstSent = p.sent
	a := Ack{Bytes: simMSS, RTT: rtt, InFlight: f.inFlight, AppLimited: p.appLimited, Delivered: f.delivered,
		PriorDelivered: p.delivered, SentInFlight: p.inFlight, LostSince: f.lost - p.lost,
		WindowLimited: f.windowLimited, InRecovery: f.recovery}
	if interval > 0 {
		a.Rate = int(float64(f.delivered-p.delivered) / interval.Seconds())
	}
	f.windowLimited = false
	f.c.OnAck(f.clock(), a)
	if f.watch != nil {
		f.watch()
	}
	if f.inFlight > 0 {
		f.arm()
	}
	f.send()
}

// lose deems lost what was sent three segments before seq or earlier, and forgets what is settled.
func (f *flow) lose(seq int) {
	var l Loss
	for len(f.unacked) > 0 {
		p := f.unacked[0]
		if p.out && p.seq+3 > seq {
			break
		}
		if p.out {
			p.out = false
			f.inFlight -= simMSS
			f.lost += simMSS
			l.Bytes += simMSS
			l.SentInFlight, l.LostSince, l.AppLimited = p.inFlight, f.lost-p.lost, p.appLimited
		}
		f.unacked = f.unacked[1:]
	}
	if l.Bytes == 0 {
		return
	}
	l.InFlight = f.inFlight
	l.First = !f.recovery
	if l.First {
		f.recovery, f.recoveryEnd = true, f.next
	}
	f.c.OnLoss(f.clock(), l)
}

// pause lets the application stop, and resume starts it again.
func (f *flow) pause() { f.idle, f.idleFrom = true, f.now }

func (f *flow) resume() {
	f.idle = false
	f.c.OnIdle(f.clock(), f.now-f.idleFrom)
	f.appLimitedUntil = f.delivered
	f.send()
}

// goodput runs until d and gives bytes/s delivered meanwhile, as a share of the link.
func (s *sim) goodput(d time.Duration, flows ...*flow) []float64 {
	before := make([]int64, len(flows))
	for i, f := range flows {
		before[i] = f.delivered
	}
	from := s.now
	s.maxQueue = 0
	s.run(d)
	share := make([]float64, len(flows))
	for i, f := range flows {
		share[i] = float64(f.delivered-before[i]) / (d - from).Seconds() / float64(s.link.rate)
	}
	return share
}

// mbit is a rate in bytes/s.
func mbit(n float64) int { return int(n * 1e6 / 8) }

// bdp of a link.
func (l link) bdp() int { return int(float64(l.rate) * l.delay.Seconds()) }

func mustNew(t testing.TB, name string, c Config) Controller {
	t.Helper()
	if c.MSS == 0 {
		c.MSS = simMSS
	}
	controller, err := New(name, c)
	if err != nil {
		t.Fatal(err)
	}
	return controller
}
