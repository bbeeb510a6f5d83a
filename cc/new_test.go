package cc

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestNewNamesWhatThereIs(t *testing.T) {
	for _, name := range controllers {
		c, err := New(name, Config{MSS: 1448, Rate: 1e6})
		if err != nil || c.Name() != name {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
	for _, name := range []string{"lia", "olia", "balia", "wvegas", "", "BBR"} {
		_, err := New(name, Config{MSS: 1448})
		if err == nil || !strings.Contains(err.Error(), "bbr, cubic, reno, paced") {
			t.Errorf("%q: error %v does not name what there is", name, err)
		}
	}
	if _, err := New("bbr", Config{}); err == nil {
		t.Error("an MSS of 0 is accepted")
	}
	if _, err := New("paced", Config{MSS: 1448}); err == nil {
		t.Error("a rate of 0 is accepted")
	}
}

func TestPacedKeepsItsRate(t *testing.T) {
	l := link{rate: mbit(50), delay: rtt40, queue: 375_000, loss: 0.05}
	s := newSim(t, l)
	f := s.flow(mustNew(t, "paced", Config{Rate: mbit(40)}))
	s.run(time.Second)
	d := &driver{TB: t}
	d.near("goodput at 5 % loss", s.goodput(10*time.Second, f)[0], 0.8*0.95, 0.02)
	if limit := 2*mbit(40)/20 + simMSS; f.c.Window() > limit {
		t.Errorf("window %d, want at most two round trips' worth, %d", f.c.Window(), limit)
	}
	f.c.OnTimeout(s.clock(), 0)
	d.want("after a time-out", f.c.Window(), simMSS)
	s.run(20 * time.Second)
	f.c.OnAck(s.clock(), Ack{Bytes: 1, RTT: time.Minute})
	if limit := 2 * mbit(40); f.c.Window() > limit {
		t.Errorf("window %d at an RTT of a minute", f.c.Window())
	}
}

// calls makes a controller live through what data says, and checks after each call what must always hold.
func calls(t *testing.T, data []byte) {
	next := func() int {
		if len(data) == 0 {
			return 0
		}
		v := int(data[0])
		data = data[1:]
		return v
	}
	// Sizes from nothing to beyond all bounds, some of them negative.
	size := func() int { return (next() - 16) << (next() % 40) }
	mss := 1 + next()<<(next()%10)
	c, err := New(controllers[next()%len(controllers)], Config{MSS: mss, Rate: 1 + size()&0xffffff, Seed: uint64(next())})
	if err != nil {
		t.Fatal(err)
	}
	mss = min(mss, maxMSS)
	now := time.Unix(1_000_000, 0)
	var delivered int64
	for len(data) > 0 {
		now = now.Add(time.Duration(next()) << (next() % 40))
		switch flags := next(); next() % 8 {
		case 0, 1:
			a := Ack{Bytes: size(), RTT: time.Duration(size()), InFlight: size(), Rate: size(), AppLimited: flags&1 > 0,
				SentInFlight: size(), LostSince: size(), WindowLimited: flags&2 > 0, InRecovery: flags&4 > 0}
			delivered += int64(max(a.Bytes, 0))
			a.Delivered, a.PriorDelivered = delivered, delivered-int64(size())
			c.OnAck(now, a)
		case 2:
			c.OnLoss(now, Loss{Bytes: size(), InFlight: size(), SentInFlight: size(), LostSince: size(),
				AppLimited: flags&1 > 0, First: flags&2 > 0, ECN: flags&4 > 0})
		case 3:
			c.OnTimeout(now, size())
		case 4:
			c.OnUndo(now)
		case 5:
			c.OnRecovered(now)
		case 6:
			c.OnIdle(now, time.Duration(size()))
		case 7:
			c.OnSend(now, size(), size())
		}
		if w := c.Window(); w < mss || w > maxWindow {
			t.Fatalf("%s: window %d at an MSS of %d", c.Name(), w, mss)
		}
		if c.Rate() < 0 {
			t.Fatalf("%s: rate %d", c.Name(), c.Rate())
		}
	}
}

func TestNoOrderOfCallsBreaksAController(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 0))
		data := make([]byte, 600)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		calls(t, data)
	}
}

func FuzzController(f *testing.F) {
	for i := range byte(4) {
		f.Add([]byte{181, 3, i, 1, 200, 20, 1, 2, 3, 0, 100, 10, 100, 10, 0, 0, 100, 20, 3, 3})
	}
	f.Fuzz(calls)
}

// ackLoop gives a function that hands c one acknowledgement of a busy flow.
func ackLoop(c Controller) func() {
	now := time.Unix(1_000_000, 0)
	var delivered int64
	return func() {
		now = now.Add(100 * time.Microsecond)
		delivered += 2896
		w := c.Window()
		c.OnSend(now, 2896, w)
		c.OnAck(now, Ack{Bytes: 2896, RTT: rtt40, InFlight: w, Rate: 28_960_000, Delivered: delivered,
			PriorDelivered: max(delivered-1_158_400, 0), SentInFlight: w, WindowLimited: true})
		if delivered%(2896*5000) == 0 {
			c.OnLoss(now, Loss{Bytes: 1448, InFlight: w, SentInFlight: w, LostSince: 1448, First: true})
			c.OnRecovered(now)
		}
	}
}

func TestAcknowledgementsAllocateNothing(t *testing.T) {
	for _, name := range controllers {
		loop := ackLoop(mustNew(t, name, Config{Rate: 1e7}))
		if n := testing.AllocsPerRun(20000, loop); n != 0 {
			t.Errorf("%s: %v allocations for each acknowledgement", name, n)
		}
	}
}

func BenchmarkOnAck(b *testing.B) {
	for _, name := range controllers {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			loop := ackLoop(mustNew(b, name, Config{Rate: 1e7}))
			for b.Loop() {
				loop()
			}
		})
	}
}
