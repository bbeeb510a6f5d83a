package netlab

import (
	"slices"
	"testing"
	"time"
)

// newPipe makes a pipe whose frames' first two bytes are their number.
func newPipe(s Shape, seed uint64) *pipe {
	return &pipe{
		shape: s, limit: s.queueLimit(2*s.Delay, 1514),
		chance: newChance(seed, 0), free: func([]byte) {},
	}
}

func numbered(n, size int) []byte {
	b := make([]byte, size)
	b[0], b[1] = byte(n>>8), byte(n)
	return b
}

// drain pops everything, at the times that next announces, and returns numbers and times.
func drain(t *testing.T, p *pipe) (numbers []int, times []time.Duration) {
	t.Helper()
	for {
		at, ok := p.next()
		if !ok {
			return numbers, times
		}
		if f, ok := p.pop(at - 1); ok {
			t.Fatalf("a frame due at %v came before %v, the time that next gave", f.due, at)
		}
		for f, ok := p.pop(at); ok; f, ok = p.pop(at) {
			numbers = append(numbers, int(f.data[0])<<8|int(f.data[1]))
			times = append(times, f.due)
		}
	}
}

func TestBottleneckServesFramesOneAfterTheOther(t *testing.T) {
	p := newPipe(Shape{Rate: 10 * Mbit, Delay: 20 * time.Millisecond, QueueBytes: 1 << 20}, 1)
	for n := range 100 {
		p.push(time.Millisecond, numbered(n, 1250)) // 1 ms each
	}
	numbers, times := drain(t, p)
	if len(times) != 100 || !slices.IsSorted(numbers) {
		t.Fatalf("got frames %v, want 100 in order", numbers)
	}
	for n, at := range times {
		if want := time.Duration(n+2+20) * time.Millisecond; at != want {
			t.Fatalf("frame %d at %v, want %v", n, at, want)
		}
	}
}

func TestBottleneckSavesNoTokensWhileIdle(t *testing.T) {
	p := newPipe(Shape{Rate: 10 * Mbit, QueueBytes: 1 << 20}, 1)
	p.push(0, numbered(0, 1250))
	drain(t, p)
	p.push(time.Second, numbered(1, 1250))
	p.push(time.Second, numbered(2, 1250))
	_, times := drain(t, p)
	want := []time.Duration{time.Second + time.Millisecond, time.Second + 2*time.Millisecond}
	if !slices.Equal(times, want) {
		t.Fatalf("got %v, want %v", times, want)
	}
}

func TestQueueDropsWhatFindsItFull(t *testing.T) {
	tests := []struct {
		name  string
		shape Shape
		want  int // frames of 1000 bytes out of 500 that arrive at once
	}{
		{"default is 30 full frames", Shape{Rate: Mbit}, 30 * 1514 / 1000},
		{"default is 1.5 times rate and round-trip time", Shape{Rate: 80 * Mbit, Delay: 5 * time.Millisecond}, 150},
		{"bytes", Shape{Rate: Mbit, QueueBytes: 7000}, 7},
		{"bytes, at least a full frame", Shape{Rate: Mbit, QueueBytes: 10}, 1},
		{"time", Shape{Rate: 8 * Mbit, QueueTime: 20 * time.Millisecond}, 20},
		{"no bottleneck, no queue", Shape{Delay: time.Second}, 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPipe(tt.shape, 1)
			for n := range 500 {
				p.push(0, numbered(n, 1000))
			}
			numbers, _ := drain(t, p)
			if len(numbers) != tt.want || p.tally.counters.Drops.Queue != int64(500-tt.want) {
				t.Errorf("%d frames came through and %d were dropped, want %d of 500 through",
					len(numbers), p.tally.counters.Drops.Queue, tt.want)
			}
		})
	}
}

func TestQueueEmptiesAtTheRateWhileFramesArrive(t *testing.T) {
	p := newPipe(Shape{Rate: 8 * Mbit, QueueBytes: 4000}, 1)
	for n := range 100 { // 1000 bytes take 1 ms, and come twice as fast
		p.push(time.Duration(n)*time.Millisecond/2, numbered(n, 1514))
	}
	numbers, times := drain(t, p)
	perFrame := frameTime(8*Mbit, 1514)
	for n := 1; n < len(times); n++ {
		if times[n]-times[n-1] != perFrame {
			t.Fatalf("frames %d and %d are %v apart, want %v: the bottleneck was idle", n-1, n, times[n]-times[n-1], perFrame)
		}
	}
	if want := int(50*time.Millisecond/perFrame) + 2; len(numbers) < want-1 || len(numbers) > want+1 {
		t.Fatalf("%d frames came through, want about %d", len(numbers), want)
	}
}

func TestRateChangesForFramesThatWait(t *testing.T) {
	p := newPipe(Shape{Rate: 8 * Mbit, QueueBytes: 1 << 20}, 1)
	for n := range 4 {
		p.push(0, numbered(n, 1000))
	}
	p.advance(1500 * time.Microsecond) // the second frame is in service
	p.shape.Rate = 80 * Mbit
	_, times := drain(t, p)
	want := []time.Duration{1000, 2000, 2100, 2200}
	for n := range want {
		want[n] *= time.Microsecond
	}
	if !slices.Equal(times, want) {
		t.Fatalf("got %v, want %v", times, want)
	}
}

func TestJitterKeepsOrder(t *testing.T) {
	shape := Shape{Delay: 25 * time.Millisecond, Jitter: 20 * time.Millisecond}
	p := newPipe(shape, 1)
	const frames = 20_000
	for n := range frames {
		p.push(time.Duration(n)*100*time.Microsecond, numbered(n, 100))
	}
	numbers, times := drain(t, p)
	if len(numbers) != frames || !slices.IsSorted(numbers) {
		t.Fatalf("%d of %d frames, in order: %v", len(numbers), frames, slices.IsSorted(numbers))
	}
	low, high, sum := time.Hour, time.Duration(0), time.Duration(0)
	for n, at := range times {
		delay := at - time.Duration(n)*100*time.Microsecond
		low, high, sum = min(low, delay), max(high, delay), sum+delay
	}
	mean := sum / frames
	if low < 5*time.Millisecond || low > 10*time.Millisecond || high > 45*time.Millisecond || high < 40*time.Millisecond {
		t.Errorf("delays from %v to %v, want them to use most of 5 ms to 45 ms", low, high)
	}
	if mean < 20*time.Millisecond || mean > 30*time.Millisecond {
		t.Errorf("mean delay %v, want about 25 ms", mean)
	}
}

func TestReorderLetsLaterFramesOvertake(t *testing.T) {
	for _, jitter := range []time.Duration{0, 3 * time.Millisecond} {
		p := newPipe(Shape{Delay: 10 * time.Millisecond, Jitter: jitter, Reorder: 0.05}, 1)
		const frames = 10_000
		for n := range frames {
			p.push(time.Duration(n)*200*time.Microsecond, numbered(n, 100))
		}
		numbers, _ := drain(t, p)
		late, newest := 0, -1
		for _, n := range numbers {
			if n < newest {
				late++
			}
			newest = max(newest, n)
		}
		if len(numbers) != frames || late < frames*3/100 || late > frames*6/100 {
			t.Errorf("jitter %v: %d of %d frames, %d overtaken, want all and about 5 %%", jitter, len(numbers), frames, late)
		}
	}
}

func TestLossIsThatOfTheSeed(t *testing.T) {
	run := func(s Shape, seed uint64) (numbers []int) {
		p := newPipe(s, seed)
		for n := range 20_000 {
			p.push(time.Duration(n)*time.Millisecond, numbered(n, 100))
		}
		numbers, _ = drain(t, p)
		return numbers
	}
	base := run(Shape{Loss: 0.02}, 7)
	if lost := 20_000 - len(base); lost < 340 || lost > 460 { // 400 ± 3σ
		t.Errorf("%d of 20000 frames lost, want about 400", lost)
	}
	if !slices.Equal(base, run(Shape{Loss: 0.02}, 7)) {
		t.Error("the same seed lost other frames")
	}
	if !slices.Equal(base, run(Shape{Loss: 0.02, Delay: time.Millisecond, Jitter: time.Millisecond}, 7)) {
		t.Error("jitter changed which frames are lost")
	}
	if slices.Equal(base, run(Shape{Loss: 0.02}, 8)) {
		t.Error("another seed lost the same frames")
	}
}

func TestBurstLossComesInBursts(t *testing.T) {
	p := newPipe(Shape{Burst: Burst{Enter: 0.005, Leave: 0.2}}, 3)
	for n := range 60_000 {
		p.push(time.Duration(n)*time.Millisecond, numbered(n, 100))
	}
	numbers, _ := drain(t, p)
	bursts := 0
	for i := 1; i < len(numbers); i++ {
		if numbers[i] != numbers[i-1]+1 {
			bursts++
		}
	}
	lost := 60_000 - len(numbers)
	if share := float64(lost) / 60_000; share < 0.018 || share > 0.031 { // Enter/(Enter+Leave) = 0.0244
		t.Errorf("share lost %.4f, want about 0.0244", share)
	}
	if length := float64(lost) / float64(bursts); length < 4 || length > 6 {
		t.Errorf("mean burst %.2f frames, want about 5", length)
	}
}

func TestDarkPipeLosesWhatIsOnItsWay(t *testing.T) {
	p := newPipe(Shape{Rate: 8 * Mbit, Delay: 10 * time.Millisecond}, 1)
	for n := range 10 {
		p.push(0, numbered(n, 1000))
	}
	p.setDark(5*time.Millisecond, true)
	p.push(6*time.Millisecond, numbered(10, 1000))
	p.setDark(7*time.Millisecond, false)
	p.push(8*time.Millisecond, numbered(11, 1000))
	numbers, times := drain(t, p)
	if !slices.Equal(numbers, []int{11}) || times[0] != 19*time.Millisecond {
		t.Errorf("got %v at %v, want only frame 11, at 19 ms", numbers, times)
	}
	if got := p.tally.counters.Drops.BlackHole; got != 11 {
		t.Errorf("%d frames counted as lost in the black hole, want 11", got)
	}
}

func TestShapeRefusesNonsense(t *testing.T) {
	nan := 0.0
	nan /= nan
	for _, s := range []Shape{
		{Rate: -1}, {Delay: -1}, {Jitter: -1}, {QueueBytes: -1}, {QueueTime: -1}, {Loss: 1.1}, {Loss: -0.1}, {Loss: nan},
		{Reorder: 2}, {Burst: Burst{Enter: 2}}, {Burst: Burst{Leave: -1}}, {Burst: Burst{Loss: 3}},
	} {
		if s.validate() == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
}
