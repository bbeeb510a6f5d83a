package stack

import (
	"testing"

	"hawser/proxy/relay"
)

func TestTrimmerWaitsForTheEndOfABusyTime(t *testing.T) {
	var m relay.Meter
	freed := 0
	trim := trimmer{meter: &m, free: func() { freed++ }}
	for i, step := range []struct {
		what        string
		in, streams uint64
		freed       int
	}{
		{"nothing happens", 0, 0, 0},
		{"a little", calmBytes / 2, 1, 0},
		{"a download", 40 << 20, 0, 0},
		{"and on", 40 << 20, 0, 0},
		{"its end", 100, 0, 1},
		{"calm", 0, 0, 1},
		{"many streams", 0, trimStreams, 1},
		{"and some more", 0, calmStreams, 1},
		{"their end", 0, calmStreams - 1, 2},
		{"calm again", 0, 0, 2},
	} {
		m.In.Add(step.in / 2)
		m.Out.Add(step.in - step.in/2)
		m.Total.Add(step.streams)
		trim.look()
		if freed != step.freed {
			t.Errorf("step %d, %s: memory was given back %d times, want %d", i, step.what, freed, step.freed)
		}
	}
}
