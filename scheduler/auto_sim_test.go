package scheduler

import (
	"fmt"
	"testing"
	"time"
)

const ms = time.Millisecond

// without is auto with rules switched off.
func without(r rules) *auto { return &auto{off: r} }

// Each test below states a bound that auto keeps, and that it misses when the rule behind it is switched off.

func TestAutoSharesEqualPathsEvenly(t *testing.T) {
	share := func(s Scheduler) float64 {
		ls := clone(link{mbit: 50, delay: 10 * ms}, link{mbit: 50, delay: 10 * ms})
		w := &world{sched: s, links: ls, pace: 60e6 / 8, warm: time.Second}
		w.run(5 * time.Second)
		return float64(ls[0].carried) / float64(ls[0].carried+ls[1].carried)
	}
	if got := share(&auto{}); got < 0.48 || got > 0.52 {
		t.Errorf("the first of two equal paths carries %.3f of the bytes", got)
	}
	if got := share(without(rules{queue: true})); got >= 0.48 && got <= 0.52 {
		t.Errorf("without counting what is under way too it carries %.3f", got)
	}
}

func TestAutoReachesTheSumUnderLoad(t *testing.T) {
	for _, links := range [][]link{
		{{mbit: 50, delay: 10 * ms}, {mbit: 50, delay: 10 * ms}},
		{{mbit: 100, delay: 8 * ms}, {mbit: 30, delay: 30 * ms}},
		{{mbit: 200, delay: 5 * ms}, {mbit: 20, delay: 100 * ms}},
		{{mbit: 100, delay: 8 * ms}, {mbit: 50, delay: 20 * ms, jitter: 10 * ms}, {mbit: 30, delay: 40 * ms}},
	} {
		sum := 0.0
		for i := range links {
			sum += links[i].mbit
		}
		for _, cold := range []bool{false, true} {
			for i := range links {
				links[i].cold = cold
			}
			if got := rate(&auto{}, 0, clone(links...)...); got < 0.95*sum {
				t.Errorf("%s, cold %v: %.1f of %.1f Mbit/s", show(links), cold, got, sum)
			}
		}
		if links[0].mbit == links[1].mbit {
			continue // equally good paths need no rule to be used
		}
		if got := rate(without(rules{pull: true}), 0, clone(links...)...); got >= 0.95*sum {
			t.Errorf("%s: without the pull under load too: %.1f of %.1f Mbit/s", show(links), got, sum)
		}
	}
}

// show names links for messages.
func show(links []link) (s string) {
	for _, l := range links {
		s += fmt.Sprintf(" %v/%v", l.mbit, l.delay)
	}
	return s
}

func TestAutoIsNeverBelowTheBestPathWithATightWindow(t *testing.T) {
	missed := 0
	for _, links := range [][]link{
		{{mbit: 100, delay: 8 * ms}, {mbit: 30, delay: 30 * ms}},
		{{mbit: 100, delay: 10 * ms}, {mbit: 100, delay: 50 * ms}},
		{{mbit: 100, delay: 10 * ms}, {mbit: 10, delay: 150 * ms}},
		{{mbit: 20, delay: 5 * ms}, {mbit: 100, delay: 100 * ms}},
		{{mbit: 200, delay: 5 * ms}, {mbit: 20, delay: 100 * ms}},
		{{mbit: 100, delay: 10 * ms}, {mbit: 50, delay: 25 * ms, jitter: 20 * ms}},
	} {
		for kB := 64; kB <= 4096; kB *= 2 {
			best := 0.0
			for _, l := range links {
				best = max(best, rate(&auto{}, kB<<10, clone(l)...))
			}
			if got := rate(&auto{}, kB<<10, clone(links...)...); got < 0.99*best {
				t.Errorf("%s, window %d kB: %.1f Mbit/s, the best alone has %.1f", show(links), kB, got, best)
			}
			if got := rate(without(rules{window: true}), kB<<10, clone(links...)...); got < 0.99*best {
				missed++
			}
		}
	}
	if missed == 0 {
		t.Error("without the guard no bound is missed: it guards nothing")
	}
	t.Logf("# without the guard %d windows are too small", missed)
}

func TestAutoKeepsTheTailOffASlowPath(t *testing.T) {
	fast, slow := link{mbit: 100, delay: 2 * ms}, link{mbit: 1, delay: 150 * ms}
	for _, cold := range []bool{false, true} {
		slow.cold = cold
		for _, n := range []int{200, 2_000, 15_000, 100_000, 300_000} {
			alone := finish(&auto{}, n, clone(fast)...)
			bound := alone + alone/20
			if got := finish(&auto{}, n, clone(fast, slow)...); got > bound {
				t.Errorf("%d bytes, slow path cold %v: %v, the fast path alone takes %v", n, cold, got, alone)
			}
			// The smaller ones have room on the fast path at once, or do not keep the buffer full.
			if got := finish(without(rules{tail: true}), n, clone(fast, slow)...); n >= 100_000 && got <= bound {
				t.Errorf("%d bytes, slow path cold %v, without the tail rule: %v is within the bound too", n, cold, got)
			}
			if got := finish(without(rules{patience: true}), n, clone(fast, slow)...); n >= 300_000 && got <= bound {
				t.Errorf("%d bytes, slow path cold %v, without patience: %v is within the bound too", n, cold, got)
			}
		}
	}
}

// Transfers of every length gain from a second path that is worth it.
func TestAutoFinishesSoonerWithTwoPaths(t *testing.T) {
	links := []link{{mbit: 50, delay: 10 * ms}, {mbit: 50, delay: 20 * ms}}
	for _, n := range []int{1e6, 4e6, 20e6} {
		alone := finish(&auto{}, n, clone(links[0])...)
		both := finish(&auto{}, n, clone(links...)...)
		if limit := 0.62 * alone.Seconds(); both.Seconds() > limit {
			t.Errorf("%d bytes: %v with both, %v alone", n, both, alone)
		}
		if got := finish(without(rules{pull: true}), n, clone(links...)...); got.Seconds() <= 0.62*alone.Seconds() {
			t.Errorf("%d bytes: %v without the pull, which is within the bound too", n, got)
		}
	}
}

func TestAutoUsesABackupOnlyWhenNoRegularPathIsUsable(t *testing.T) {
	outage := func(now time.Duration) bool { return now >= 2*time.Second && now < 3*time.Second }
	stray := func(s Scheduler) (during, other int) {
		ls := clone(link{mbit: 50, delay: 10 * ms, suspect: outage}, link{mbit: 50, delay: 10 * ms, backup: true})
		ls[1].onSend = func(now time.Duration, n int) {
			if outage(now) {
				during += n
			} else {
				other += n
			}
		}
		(&world{sched: s, links: ls}).run(5 * time.Second)
		return during, other
	}
	for _, name := range Names() {
		s, _ := New(name)
		if during, other := stray(s); during < 5e6 || other > 0 {
			t.Errorf("%s: the backup carried %d bytes while the regular path was suspect and %d otherwise", name, during, other)
		}
	}
	if _, other := stray(without(rules{backup: true})); other == 0 {
		t.Error("without the rule the backup carries nothing else either")
	}
}
