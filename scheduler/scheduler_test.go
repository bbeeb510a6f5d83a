package scheduler

import (
	"slices"
	"testing"
	"time"
)

// path is a measured path with room, of 100 Mbit/s.
func path(id int, srtt time.Duration, change ...func(p *Path)) Path {
	p := Path{ID: id, Room: 1 << 20, Credit: 1 << 20, SRTT: srtt, RTTVar: srtt / 20, MinRTT: srtt, Rate: 12_500_000}
	for _, f := range change {
		f(&p)
	}
	return p
}

func full(p *Path)                { p.Room = 0 }
func spent(p *Path)               { p.Credit = 0 }
func isSuspect(p *Path)           { p.Suspect = true }
func isBackup(p *Path)            { p.Backup = true }
func isCold(p *Path)              { p.SRTT, p.RTTVar, p.MinRTT, p.Rate = 0, 0, 0, 0 }
func rated(r int) (f func(*Path)) { return func(p *Path) { p.Rate = r } }
func weighs(w int) func(*Path)    { return func(p *Path) { p.Weight = w } }
func under(n int) func(*Path)     { return func(p *Path) { p.InFlight = n } }

// bulk is a chunk in the midst of a transfer without end; request is all there is.
func bulk() Chunk {
	return Chunk{Size: 16 << 10, Backlog: 64 << 10, Window: 8 << 20, Loaded: true, Avoid: -1}
}
func request() Chunk { return Chunk{Size: 300, Backlog: 300, Window: 8 << 20, Avoid: -1} }

// pick makes one pick of a new scheduler, which has seen a load for some time.
func pick(t *testing.T, name string, c Chunk, paths ...Path) []int {
	t.Helper()
	s, err := New(name)
	if err != nil {
		t.Fatal(err)
	}
	if c.Loaded {
		s.Pick(epoch, nil, c, nil)
	}
	return s.Pick(epoch.Add(pause), paths, c, nil)
}

// What all schedulers have in common: which paths are usable.
func TestUsablePaths(t *testing.T) {
	again := bulk()
	again.Reinject, again.Avoid = true, 0
	for _, c := range []struct {
		name  string
		chunk Chunk
		paths []Path
		want  []int // of those that pick one
		all   []int // of redundant
	}{
		{"no path", bulk(), nil, nil, nil},
		{"one path", bulk(), []Path{path(3, 20*ms)}, []int{3}, []int{3}},
		{"no room", bulk(), []Path{path(0, 20*ms, full)}, nil, nil},
		{"no credit", bulk(), []Path{path(0, 20*ms, spent)}, nil, nil},
		{"the other has room", bulk(), []Path{path(0, 20*ms, full), path(1, 20*ms)}, []int{1}, []int{1}},
		{"the other has credit", bulk(), []Path{path(0, 20*ms, spent), path(1, 20*ms)}, []int{1}, []int{1}},
		{"a suspect path is left out", bulk(), []Path{path(0, 20*ms, isSuspect), path(1, 40*ms)}, []int{1}, []int{1}},
		{"all are suspect", bulk(), []Path{path(0, 20*ms, isSuspect), path(1, 40*ms, isSuspect)}, []int{0}, []int{0, 1}},
		{"backup idles", bulk(), []Path{path(0, 20*ms), path(1, 5*ms, isBackup)}, []int{0}, []int{0}},
		{"backup idles while the regular has no room", bulk(), []Path{path(0, 20*ms, full), path(1, 5*ms, isBackup)}, nil, nil},
		{"backup idles while the regular has no credit", bulk(), []Path{path(0, 20*ms, spent), path(1, 5*ms, isBackup)}, nil, nil},
		{"backup steps in for a suspect path", bulk(), []Path{path(0, 20*ms, isSuspect), path(1, 50*ms, isBackup)}, []int{1}, []int{1}},
		{"backup has no room either", bulk(), []Path{path(0, 20*ms, isSuspect), path(1, 50*ms, isBackup, full)}, nil, nil},
		{"only backups", bulk(), []Path{path(0, 20*ms, isBackup), path(1, 50*ms, isBackup)}, []int{0}, []int{0, 1}},
		{"all are suspect, backups too", bulk(),
			[]Path{path(0, 20*ms, isSuspect), path(1, 50*ms, isBackup, isSuspect)}, []int{0}, []int{0, 1}},
		{"not where it was", again, []Path{path(0, 20*ms), path(1, 40*ms)}, []int{1}, []int{1}},
		{"not where it was, though there is no other", again, []Path{path(0, 20*ms)}, nil, nil},
		{"not where it was, and no backup for a path that works", again, []Path{path(0, 20*ms), path(1, 40*ms, isBackup)}, nil, nil},
		{"not where it was, all are suspect", again,
			[]Path{path(0, 20*ms, isSuspect), path(1, 40*ms, isSuspect)}, []int{1}, []int{1}},
		{"nothing is measured", bulk(), []Path{path(4, 0, isCold), path(5, 0, isCold)}, []int{4}, []int{4, 5}},
	} {
		for _, name := range Names() {
			want := c.want
			if name == "redundant" {
				want = c.all
			}
			if got := pick(t, name, c.chunk, c.paths...); !slices.Equal(got, want) {
				t.Errorf("%s: %s picks %v, want %v", c.name, name, got, want)
			}
		}
	}
}

func TestPickAppends(t *testing.T) {
	for _, name := range Names() {
		s, _ := New(name)
		if got := s.Pick(epoch, []Path{path(7, 20*ms)}, request(), []int{1}); !slices.Equal(got, []int{1, 7}) {
			t.Errorf("%s: got %v, want [1 7]", name, got)
		}
	}
}

func TestPickAllocatesNothing(t *testing.T) {
	paths := []Path{path(0, 20*ms), path(1, 40*ms, full), path(2, 60*ms), path(3, 0, isCold), path(4, 5*ms, isBackup)}
	for _, name := range Names() {
		s, _ := New(name)
		dst := make([]int, 0, len(paths))
		now := epoch
		if n := testing.AllocsPerRun(100, func() {
			now = now.Add(ms)
			dst = s.Pick(now, paths, bulk(), dst[:0])
		}); n != 0 {
			t.Errorf("%s: %v allocations a pick, want none", name, n)
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range append(Names(), "") {
		if s, err := New(name); err != nil || s == nil {
			t.Errorf("New(%q): %v, %v", name, s, err)
		}
	}
	if _, err := New("fastest"); err == nil {
		t.Error("an unknown name makes a scheduler")
	}
	if s, _ := New(""); Names()[0] != "auto" || s.(*auto) == nil {
		t.Error("auto is not the default")
	}
}

func TestMinRTT(t *testing.T) {
	for _, c := range []struct {
		name  string
		paths []Path
		want  []int
	}{
		{"the quickest", []Path{path(0, 40*ms), path(1, 20*ms), path(2, 30*ms)}, []int{1}},
		{"the quickest with room", []Path{path(0, 40*ms), path(1, 20*ms, full), path(2, 30*ms)}, []int{2}},
		{"what is not measured comes last", []Path{path(0, 0, isCold), path(1, 20*ms)}, []int{1}},
		{"but it does come", []Path{path(0, 0, isCold), path(1, 20*ms, full)}, []int{0}},
	} {
		if got := pick(t, "minrtt", bulk(), c.paths...); !slices.Equal(got, c.want) {
			t.Errorf("%s: picks %v, want %v", c.name, got, c.want)
		}
	}
}

// turns makes n picks and returns them in a row.
func turns(s Scheduler, n int, paths []Path) (got []int) {
	for range n {
		got = s.Pick(epoch, paths, bulk(), got)
	}
	return got
}

func TestRoundRobin(t *testing.T) {
	s := &roundRobin{}
	paths := []Path{path(5, 20*ms), path(2, 50*ms), path(9, 10*ms)}
	if got := turns(s, 7, paths); !slices.Equal(got, []int{2, 5, 9, 2, 5, 9, 2}) {
		t.Errorf("got %v", got)
	}
	t.Log("# 5 has no room: it loses its turn")
	paths[0].Room = 0
	if got := turns(s, 3, paths); !slices.Equal(got, []int{9, 2, 9}) {
		t.Errorf("got %v", got)
	}
	t.Log("# 9 was the last and is gone")
	paths[0].Room = 1
	if got := turns(s, 3, paths[:2]); !slices.Equal(got, []int{2, 5, 2}) {
		t.Errorf("got %v", got)
	}
}

func TestWeighted(t *testing.T) {
	count := func(s Scheduler, n int, paths ...Path) map[int]int {
		m := map[int]int{}
		for _, id := range turns(s, n, paths) {
			m[id]++
		}
		return m
	}
	for _, c := range []struct {
		name  string
		paths []Path
		want  map[int]int // of 120 picks
	}{
		{"by weight", []Path{path(0, 20*ms, weighs(3)), path(1, 20*ms, weighs(2)), path(2, 20*ms, weighs(1))}, map[int]int{0: 60, 1: 40, 2: 20}},
		{"one weight only", []Path{path(0, 20*ms, weighs(3)), path(1, 20*ms)}, map[int]int{0: 90, 1: 30}},
		{"by rate", []Path{path(0, 20*ms, rated(9e6)), path(1, 20*ms, rated(3e6))}, map[int]int{0: 90, 1: 30}},
		{"a rate not measured", []Path{path(0, 20*ms, rated(5e6)), path(1, 20*ms, rated(0))}, map[int]int{0: 60, 1: 60}},
		{"no rate measured", []Path{path(0, 20*ms, rated(0)), path(1, 20*ms, rated(0))}, map[int]int{0: 60, 1: 60}},
		{"no room on one", []Path{path(0, 20*ms, weighs(3), full), path(1, 20*ms, weighs(2)), path(2, 20*ms, weighs(1))}, map[int]int{1: 80, 2: 40}},
	} {
		got := count(&weighted{}, 120, c.paths...)
		if len(got) != len(c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		for id, n := range c.want {
			if d := got[id] - n; d < -1 || d > 1 {
				t.Errorf("%s: got %v, want %v", c.name, got, c.want)
			}
		}
	}

	t.Log("# a path that had no room does not catch up, and one that is gone leaves no account")
	s := &weighted{}
	count(s, 1000, path(0, 20*ms, weighs(1), full), path(1, 20*ms, weighs(1)))
	if got := count(s, 10, path(0, 20*ms, weighs(1)), path(1, 20*ms, weighs(1))); got[0] > 6 {
		t.Errorf("a path catches up: %v", got)
	}
	count(s, 1, path(1, 20*ms, weighs(1)))
	if len(s.shares) != 1 {
		t.Errorf("accounts: %v", s.shares)
	}
}

func TestBlest(t *testing.T) {
	fast, slow := path(0, 20*ms, full), path(1, 100*ms)
	c := bulk()
	c.Window = c.Size + 1_250_000 // what fast sends in 100 ms
	if got := pick(t, "blest", c, fast, slow); !slices.Equal(got, []int{1}) {
		t.Errorf("with window enough: picks %v", got)
	}
	c.Window--
	if got := pick(t, "blest", c, fast, slow); len(got) != 0 {
		t.Errorf("with too small a window: picks %v", got)
	}
	c.Reinject = true
	if got := pick(t, "blest", c, fast, slow); !slices.Equal(got, []int{1}) {
		t.Errorf("sent again: picks %v", got)
	}
	c.Reinject = false
	fast.Room = 1
	if got := pick(t, "blest", c, fast, slow); !slices.Equal(got, []int{0}) {
		t.Errorf("with room on the fast path: picks %v", got)
	}
}
