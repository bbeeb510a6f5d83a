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
