package cc

import (
	"testing"
	"time"
)

func ms(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }

// RFC 9406, section 4.2: a round whose delay rises by RttThresh leaves slow start for CSS, which grows by a quarter.
func TestDelayRiseEntersConservativeSlowStart(t *testing.T) {
	for _, c := range []struct {
		base, rise time.Duration
		css        bool
	}{
		{ms(40), ms(4.9), false}, {ms(40), ms(5.1), true}, // an eighth
		{ms(8), ms(3.9), false}, {ms(8), ms(4.1), true}, // at least 4 ms
		{ms(400), ms(15.9), false}, {ms(400), ms(16.1), true}, // at most 16 ms
	} {
		d := drive(t, "cubic")
		d.round(c.base)
		d.round(c.base)
		d.roundOf(nRTTSample, c.base+c.rise)
		before := d.c.Window()
		d.ack(4*simMSS, c.base+c.rise, 0)
		want := 4 * simMSS
		if c.css {
			want /= cssGrowthDivisor
		}
		d.want("growth at a rise from "+c.base.String()+" by "+c.rise.String(), d.c.Window()-before, want)
	}
}

// RFC 9406, section 4.3: N_RTT_SAMPLE = 8 samples make a round's delay.
func TestFewSamplesDecideNothing(t *testing.T) {
	d := drive(t, "cubic")
	d.round(ms(40))
	d.round(ms(40))
	d.roundOf(nRTTSample-1, ms(80))
	if d.c.(*lossBased).start.css {
		t.Error("seven samples were enough")
	}
	d.ack(simMSS, ms(80), 0)
	if !d.c.(*lossBased).start.css {
		t.Error("eight samples were not enough")
	}
}

// RFC 9406, section 4.2: a delay below the baseline of CSS resumes slow start.
func TestDelayThatFallsResumesSlowStart(t *testing.T) {
	d := drive(t, "cubic")
	d.round(ms(40))
	d.round(ms(40))
	d.round(ms(60))
	d.round(ms(50))
	if d.c.(*lossBased).start.css {
		t.Error("still in CSS")
	}
	before := d.c.Window()
	d.round(ms(50))
	d.want("slow start", d.c.Window(), 2*before)
}

// RFC 9406, section 4.2: CSS lasts CSS_ROUNDS = 5 rounds, then ssthresh = cwnd.
func TestConservativeSlowStartEndsInAvoidance(t *testing.T) {
	d := drive(t, "cubic")
	l := d.c.(*lossBased)
	d.round(ms(40))
	d.round(ms(40))
	rounds := 0
	for ; l.window < l.ssthresh && rounds < 20; rounds++ {
		d.round(ms(60))
	}
	// The round in which CSS begins counts; the acknowledgement that ends it is the first of the sixth.
	d.want("rounds until congestion avoidance", rounds, cssRounds+1)
	if !l.start.done {
		t.Error("HyStart++ would guide a later slow start too")
	}
}

func TestHyStartGuidesTheFirstSlowStartOnly(t *testing.T) {
	d := drive(t, "cubic")
	d.toAvoidance(200, ms(40))
	d.c.OnTimeout(d.now, d.c.Window())
	d.recovered()
	for range 3 {
		d.roundOf(10, ms(40))
	}
	d.roundOf(10, ms(90))
	if d.c.(*lossBased).start.css {
		t.Error("CSS in a later slow start")
	}
}

// What it is for: over a deep queue the first slow start loses far less than one without it.
func TestHyStartSavesADeepQueue(t *testing.T) {
	drops := func(without bool) int {
		l := link{rate: mbit(50), delay: 100 * time.Millisecond}
		l.queue = 3 * l.bdp() / 2
		s := newSim(t, l)
		f := s.flow(mustNew(t, "cubic", Config{}))
		f.c.(*lossBased).start.done = without
		s.run(2 * time.Second)
		return s.dropped
	}
	with, without := drops(false), drops(true)
	if with*2 > without {
		t.Errorf("%d segments lost with HyStart++, %d without", with, without)
	}
}
