package netlab

import (
	"slices"
	"testing"
	"time"
)

// echo is a stage that sends every frame back as well.
type echo struct{}

func (echo) Handle(_ time.Time, frame []byte, out Output) {
	out.Forward(frame)
	out.Return(frame)
}

func TestStagesWorkInTheirOrder(t *testing.T) {
	tag := func(s string) Stage {
		return StageFunc(func(f []byte) [][]byte { return [][]byte{append(slices.Clone(f), s...)} })
	}
	twice := StageFunc(func(f []byte) [][]byte { return [][]byte{f, f} })
	none := StageFunc(func([]byte) [][]byte { return nil })
	tests := []struct {
		name        string
		stages      []Stage
		there, back []string
	}{
		{"none", nil, []string{"x"}, nil},
		{"in order", []Stage{tag("1"), tag("2")}, []string{"x12"}, nil},
		{"each copy passes what follows", []Stage{tag("1"), twice, tag("2")}, []string{"x12", "x12"}, nil},
		{"what is not forwarded is gone", []Stage{none, tag("1")}, nil, nil},
		{"back from the middle", []Stage{tag("1"), echo{}, tag("2")}, []string{"x12"}, []string{"x1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var there, back []string
			c := chain{
				stages:   tt.stages,
				forward:  func(_ time.Time, f []byte) { there = append(there, string(f)) },
				backward: func(_ time.Time, f []byte) { back = append(back, string(f)) },
			}
			c.handle(time.Now(), []byte("x"))
			if !slices.Equal(there, tt.there) || !slices.Equal(back, tt.back) {
				t.Errorf("there %q and back %q, want %q and %q", there, back, tt.there, tt.back)
			}
		})
	}
}

// hold is a timed stage that keeps each frame for a time.
type hold struct {
	wait   time.Duration
	frames []string
	due    []time.Time
	woken  []time.Time
}

func (h *hold) Handle(now time.Time, frame []byte, _ Output) {
	h.frames, h.due = append(h.frames, string(frame)), append(h.due, now.Add(h.wait))
}

func (h *hold) Deadline() time.Time {
	if len(h.due) == 0 {
		return time.Time{}
	}
	return h.due[0]
}

func (h *hold) Wake(now time.Time, out Output) {
	h.woken = append(h.woken, now)
	for len(h.due) > 0 && !h.due[0].After(now) {
		out.Forward([]byte(h.frames[0]))
		h.frames, h.due = h.frames[1:], h.due[1:]
	}
}

func TestTimedStagesAreWokenAtTheirDeadlines(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	slow, quick := &hold{wait: 10 * time.Millisecond}, &hold{wait: 4 * time.Millisecond}
	var out []string
	c := chain{
		stages:  []Stage{slow, StageFunc(func(f []byte) [][]byte { return [][]byte{append(f, '!')} }), quick},
		forward: func(now time.Time, f []byte) { out = append(out, now.Sub(start).String()+" "+string(f)) },
	}
	wantDeadline := func(want time.Time) {
		t.Helper()
		if got, _ := c.deadline(); !got.Equal(want) {
			t.Fatalf("deadline %v, want %v", got, want)
		}
	}
	wantDeadline(time.Time{})
	c.handle(at(0), []byte("a"))
	c.handle(at(3), []byte("b"))
	wantDeadline(at(10))
	t.Log("# a frame that comes late has the stages woken before it, each at the time it wanted")
	c.handle(at(15), []byte("c"))
	wantDeadline(at(17))
	t.Log("# a late thread makes up for everything")
	c.wake(at(60))
	wantDeadline(time.Time{})
	if want := []string{"14ms a!", "17ms b!", "29ms c!"}; !slices.Equal(out, want) {
		t.Errorf("got %q, want %q", out, want)
	}
	t.Log("# time does not go back, whatever a stage or a frame's time stamp says")
	slow.frames, slow.due = []string{"d"}, []time.Time{at(-5)}
	c.wake(at(61))
	if got := slow.woken[len(slow.woken)-1]; !got.Equal(at(29)) {
		t.Errorf("woken at %v, want at the time of the latest call, %v", got, at(29))
	}
}

func TestChainRefusesAStageThatIsNeverContent(t *testing.T) {
	c := chain{stages: []Stage{stubborn{}}}
	defer func() {
		if recover() == nil {
			t.Error("a stage whose deadline does not move would be woken for ever")
		}
	}()
	c.wake(time.Unix(2, 0))
}

type stubborn struct{ echo }

func (stubborn) Deadline() time.Time    { return time.Unix(1, 0) }
func (stubborn) Wake(time.Time, Output) {}
