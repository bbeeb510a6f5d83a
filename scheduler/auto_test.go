package scheduler

import (
	"slices"
	"testing"
	"time"
)

// auto as tables: what it answers to one situation. fast delivers 12.5 kB a ms after 10 ms, slow 1.25 kB after 50 ms.

func fastPath(change ...func(*Path)) Path { return still(path(0, 20*ms, change...)) }
func slowPath(change ...func(*Path)) Path {
	return still(path(1, 100*ms, append([]func(*Path){rated(1_250_000)}, change...)...))
}

// still is a path without variation, for round numbers.
func still(p Path) Path {
	p.RTTVar = 0
	return p
}

func backlog(n int) Chunk {
	return Chunk{Size: min(n, 16<<10), Backlog: n, Window: 8 << 20, Avoid: -1}
}

func TestAutoWithoutLoad(t *testing.T) {
	again := backlog(16 << 10)
	again.Reinject, again.Avoid = true, 2
	for _, c := range []struct {
		name  string
		chunk Chunk
		paths []Path
		off   rules
		want  []int
	}{
		{"a request takes the earliest delivery", request(), []Path{slowPath(), fastPath()}, rules{}, []int{0}},
		{"which counts the queue", request(), []Path{slowPath(), fastPath(under(800_000))}, rules{}, []int{1}},
		{"and counts it in the local system", request(),
			[]Path{slowPath(), fastPath(func(p *Path) { p.Unsent = 600_000 })}, rules{}, []int{1}},
		{"a request waits for the fast path", request(), []Path{slowPath(), fastPath(full)}, rules{}, nil},
		{"or not, without the rule", request(), []Path{slowPath(), fastPath(full)}, rules{tail: true}, []int{1}},
		{"a long backlog does not wait", backlog(2 << 20), []Path{slowPath(), fastPath(full)}, rules{}, []int{1}},
		{"its end does", backlog(500_000), []Path{slowPath(), fastPath(full)}, rules{}, nil},
		{"what is sent again waits too", again, []Path{slowPath(), fastPath(full)}, rules{}, nil},
		{"a request needs little credit", request(), []Path{slowPath(), fastPath(spent)}, rules{}, []int{0}},
		{"but some", request(), []Path{slowPath(), fastPath(func(p *Path) { p.Credit = -reserve })}, rules{}, nil},
		{"none of it without the rule", request(), []Path{slowPath(), fastPath(spent)}, rules{small: true}, nil},
		{"larger data needs credit", backlog(smallData + 1), []Path{fastPath(spent)}, rules{}, nil},
		{"what is sent again needs credit", again, []Path{fastPath(spent)}, rules{}, nil},
		{"what is not measured comes last", request(), []Path{path(2, 0, isCold), slowPath()}, rules{}, []int{1}},
		{"and gets no end of a transfer", request(), []Path{path(2, 0, isCold), slowPath(full)}, rules{}, nil},
	} {
		a := &auto{off: c.off}
		if got := a.Pick(epoch, c.paths, c.chunk, nil); !slices.Equal(got, c.want) {
			t.Errorf("%s: picks %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAutoPullsWhenTheLoadHasLasted(t *testing.T) {
	a := &auto{}
	paths := []Path{fastPath(full), slowPath()}
	at := func(d time.Duration, c Chunk, want ...int) {
		t.Helper()
		if got := a.Pick(epoch.Add(d), paths, c, nil); !slices.Equal(got, want) {
			t.Errorf("at %v: picks %v, want %v", d, got, want)
		}
	}
	t.Log("# the slow path delivers after 63 ms, the fast one has delivered the backlog after 15 ms")
	at(0, bulk())
	at(40*ms, bulk())
	t.Log("# the transfer is expected to last for 70 ms more: there is work for the slow path")
	at(70*ms, bulk(), 1)
	at(75*ms, backlog(64<<10)) // the buffer is not full: perhaps this is the end
	at(170*ms, bulk(), 1)      // it was not
	t.Log("# after a pause it is another transfer")
	at(300*ms, bulk())
	at(370*ms, bulk(), 1)
}

func TestAutoHysteresis(t *testing.T) {
	a := &auto{}
	paths := []Path{fastPath(full), slowPath()}
	want := func(n int, want ...int) {
		t.Helper()
		if got := a.Pick(epoch, paths, backlog(n), nil); !slices.Equal(got, want) {
			t.Errorf("backlog %d: picks %v, want %v", n, got, want)
		}
	}
	t.Log("# the slow path delivers after 63.1 ms: that pays from 664 kB on")
	want(670_000, 1)
	want(650_000)
	t.Log("# once the fast one is waited for, it must pay by a quarter more: from 861 kB on")
	want(670_000)
	want(850_000)
	want(870_000, 1)
	want(670_000, 1)
}

func TestAutoBlockingGuard(t *testing.T) {
	// until the slow path has delivered, the fast one sends what 63.1 - 11.3 ms carry
	paths := []Path{fastPath(full), slowPath()}
	slow, fast := estimateOf(&paths[1], 16<<10, 0), estimateOf(&paths[0], 16<<10, 0)
	need := int((slow.at-fast.at)*12_500_000) + 1 + 16<<10
	for _, c := range []struct {
		name  string
		chunk Chunk
		want  []int
	}{
		{"the window is enough", Chunk{Window: need, Loaded: true}, []int{1}},
		{"the window is not enough", Chunk{Window: need - 2, Loaded: true}, nil},
		{"there is less to send than the window has", Chunk{Window: need - 2, Loaded: false, Backlog: need - 2}, []int{1}},
		{"what is sent again is in the window", Chunk{Window: 1, Loaded: true, Reinject: true, Backlog: 2 << 20}, []int{1}},
	} {
		c.chunk.Size, c.chunk.Avoid = 16<<10, -1
		c.chunk.Backlog = max(c.chunk.Backlog, 64<<10)
		a := &auto{off: rules{patience: true, tail: true}}
		if got := a.Pick(epoch, paths, c.chunk, nil); !slices.Equal(got, c.want) {
			t.Errorf("%s: picks %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAutoTriesAPathThatIsNotMeasured(t *testing.T) {
	a := &auto{}
	a.Pick(epoch, nil, bulk(), nil)
	for _, c := range []struct {
		flight int
		want   []int
	}{{0, []int{2}}, {trial - 1, []int{2}}, {trial, nil}} {
		paths := []Path{fastPath(full), path(2, 0, isCold, under(c.flight))}
		now := epoch.Add(time.Second)
		a.since, a.loaded = epoch, now
		if got := a.Pick(now, paths, bulk(), nil); !slices.Equal(got, c.want) {
			t.Errorf("with %d bytes in flight: picks %v, want %v", c.flight, got, c.want)
		}
	}
	t.Log("# there is nothing else: no limit, and then it is measured soon")
	if got := a.Pick(epoch, []Path{path(2, 0, isCold, under(trial))}, bulk(), nil); !slices.Equal(got, []int{2}) {
		t.Errorf("alone: picks %v", got)
	}
}

// At the begin nothing is known of the fast path's rate either: a guess at it must not send data by the slow one.
func TestAutoBeginsOnTheFastPath(t *testing.T) {
	a := &auto{}
	paths := []Path{
		{ID: 1, Room: 1 << 20, SRTT: 60 * ms, MinRTT: 60 * ms, InFlight: 64 << 10},
		{ID: 2, Room: 1 << 20, Credit: 64 << 10, SRTT: 300 * ms, MinRTT: 300 * ms},
	}
	c := Chunk{Size: 16 << 10, Backlog: 64 << 10, Window: 256 << 10, Avoid: -1, Loaded: true}
	if got := a.Pick(epoch, paths, c, nil); len(got) != 0 {
		t.Errorf("the first chunk that the fast path has no room for goes to %v, want it to wait", got)
	}
	for now := time.Duration(0); now < time.Second; now += 50 * ms {
		if got := a.Pick(epoch.Add(now), paths, c, nil); len(got) == 1 && now < 100*ms {
			t.Errorf("after %v the slow path is used", now)
		} else if now == 950*ms && len(got) == 0 {
			t.Error("the slow path is not used after a second either")
		}
	}
}

// TestABurdenIsLeftOut: a far path that adds next to nothing carries no bulk, but for a moment now and then.
func TestABurdenIsLeftOut(t *testing.T) {
	fast := Path{ID: 1, Room: 1 << 20, SRTT: 20 * time.Millisecond, MinRTT: 20 * time.Millisecond, Rate: 12_000_000, Settled: true}
	far := Path{
		ID: 2, Room: 1 << 20, Credit: 1 << 20, SRTT: 300 * time.Millisecond, MinRTT: 300 * time.Millisecond, Rate: 600_000,
		Settled: true,
	}
	c := Chunk{Size: 16 << 10, Backlog: 1 << 20, Window: 32 << 20, Loaded: true, Avoid: -1}
	picks := func(a *auto, at int64, change func(p *Path)) bool {
		p := far
		change(&p)
		paths := []Path{fast, p}
		a.since = time.Unix(at-100, 0)
		a.loaded = time.Unix(at, 0)
		return len(a.Pick(time.Unix(at, 0), paths, c, nil)) > 0
	}
	same := func(*Path) {}
	const busy = 20*1000 + 10 // not a moment of trial
	for name, got := range map[string][2]bool{
		"a burden":              {picks(&auto{}, busy, same), false},
		"without the rule":      {picks(&auto{off: rules{worth: true}}, busy, same), true},
		"a moment now and then": {picks(&auto{}, 20*1000, same), true},
		"near":                  {picks(&auto{}, busy, func(p *Path) { p.MinRTT, p.SRTT = 100*time.Millisecond, 100*time.Millisecond }), true},
		"worth its while":       {picks(&auto{}, busy, func(p *Path) { p.Rate = 2_000_000 }), true},
		"still growing":         {picks(&auto{}, busy, func(p *Path) { p.Settled = false }), true},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: the far path is used: %v", name, got[0])
		}
	}
}
