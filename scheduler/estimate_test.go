package scheduler

import (
	"math"
	"testing"
	"time"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestEstimate(t *testing.T) {
	for _, c := range []struct {
		name  string
		path  Path
		size  int
		start float64 // seconds
		at    float64
	}{
		{"idle: half a round trip and the chunk itself",
			Path{SRTT: 20 * ms, MinRTT: 20 * ms, Rate: 1e6}, 1000, 0.010, 0.011},
		{"variation", Path{SRTT: 20 * ms, MinRTT: 20 * ms, RTTVar: 3 * ms, Rate: 1e6}, 1000, 0.013, 0.014},
		{"what a round trip holds is no queue", Path{SRTT: 20 * ms, MinRTT: 20 * ms, Rate: 1e6, InFlight: 20_000}, 1000, 0.010, 0.011},
		{"what is beyond it is", Path{SRTT: 20 * ms, MinRTT: 20 * ms, Rate: 1e6, InFlight: 25_000}, 1000, 0.015, 0.016},
		{"the queue is not counted twice", Path{SRTT: 25 * ms, MinRTT: 20 * ms, Rate: 1e6, InFlight: 25_000}, 1000, 0.015, 0.016},
		{"waiting in the local system", Path{SRTT: 20 * ms, MinRTT: 20 * ms, Rate: 1e6, Unsent: 8000, InFlight: 8000}, 1000, 0.018, 0.019},
		{"a path that has become longer", Path{SRTT: 60 * ms, MinRTT: 20 * ms, Rate: 1e6}, 1000, 0.030, 0.031},
		{"no smallest round trip", Path{SRTT: 20 * ms, Rate: 1e6}, 1000, 0.010, 0.011},
		{"no rate: an initial window a round trip", Path{SRTT: 20 * ms, MinRTT: 20 * ms}, firstFlight, 0.010, 0.030},
		{"nothing: as slow as the slowest", Path{}, firstFlight, 0.150, 0.450},
	} {
		e := estimateOf(&c.path, c.size, 300*ms)
		if !near(e.start, c.start) || !near(e.at, c.at) {
			t.Errorf("%s: start %.4f at %.4f, want %.4f and %.4f", c.name, e.start, e.at, c.start, c.at)
		}
	}
	if e := estimateOf(&Path{}, 1000, 0); !near(e.start, firstRTT.Seconds()/2) || e.known {
		t.Errorf("nothing known of any path: %+v", e)
	}
}

func TestDrained(t *testing.T) {
	for _, c := range []struct {
		name  string
		paths []estimate
		n     int
		want  float64
	}{
		{"one path", []estimate{{rate: 1e6, start: 0.010}}, 10_000, 0.020},
		{"two alike", []estimate{{rate: 1e6, start: 0.010}, {rate: 1e6, start: 0.010}}, 10_000, 0.015},
		{"the later one helps at the end", []estimate{{rate: 1e6, start: 0.010}, {rate: 1e6, start: 0.020}}, 20_000, 0.025},
		{"one that starts too late does not", []estimate{{rate: 1e6, start: 0.010}, {rate: 9e6, start: 0.050}}, 20_000, 0.030},
		{"nor two", []estimate{{rate: 9e6, start: 0.060}, {rate: 1e6, start: 0.010}, {rate: 9e6, start: 0.050}}, 20_000, 0.030},
		{"nothing to deliver", []estimate{{rate: 1e6, start: 0.010}}, 0, 0.010},
	} {
		if got := drained(c.paths, c.n); !near(got, c.want) {
			t.Errorf("%s: %.6f, want %.6f", c.name, got, c.want)
		}
	}
}

// No state of paths, however odd, makes an estimate that is not a time.
func FuzzAuto(f *testing.F) {
	f.Add(int64(20), int64(1), int64(20), 1000, 0, 0, int64(80), int64(2), int64(70), 0, 5, 5, 100, 1000, true)
	f.Add(int64(-1), int64(-1), int64(1<<62), -5, -1, 1<<40, int64(0), int64(0), int64(0), math.MaxInt, 1, 1, 0, 0, false)
	f.Fuzz(func(t *testing.T, srtt0, var0, min0 int64, rate0, flight0, unsent0 int,
		srtt1, var1, min1 int64, rate1, flight1, unsent1, size, left int, loaded bool) {
		paths := []Path{
			{ID: 0, Room: 1, Credit: 1, SRTT: time.Duration(srtt0), RTTVar: time.Duration(var0), MinRTT: time.Duration(min0),
				Rate: rate0, InFlight: flight0, Unsent: unsent0},
			{ID: 1, Room: 1, Credit: 1, SRTT: time.Duration(srtt1), RTTVar: time.Duration(var1), MinRTT: time.Duration(min1),
				Rate: rate1, InFlight: flight1, Unsent: unsent1},
		}
		a := &auto{}
		got := a.Pick(epoch, paths, Chunk{Size: size, Backlog: left, Window: left, Loaded: loaded, Avoid: -1}, nil)
		if len(got) != 1 {
			t.Errorf("picks %v of two open paths", got)
		}
		for _, e := range a.order {
			if math.IsNaN(e.at) || math.IsInf(e.at, 0) {
				t.Errorf("estimate %+v", e)
			}
		}
		if at := drained(a.order, left); math.IsNaN(at) {
			t.Error("drained is not a number")
		}
	})
}
