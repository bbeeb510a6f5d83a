package linksim

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type number int

func (n number) Before(other number) bool { return n < other }

func TestHeapGivesTheFirstFirst(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var h Heap[number]
	var want []number
	for range 1000 {
		n := number(random.IntN(300))
		h.Push(n)
		want = append(want, n)
	}
	slices.Sort(want)
	for i, n := range want {
		if got := h.Pop(); got != n {
			t.Fatalf("item %d is %d, want %d", i, got, n)
		}
	}
	if len(h) != 0 {
		t.Errorf("%d items are left", len(h))
	}
}

func TestTimelineKeepsTimeAndOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		l := NewTimeline(&mu)
		begin := time.Now()
		var got []string
		note := func(name string, at time.Duration) func(time.Time) {
			return func(now time.Time) {
				if mu.TryLock() {
					t.Errorf("%s happens without the lock", name)
				}
				if late := now.Sub(begin.Add(at)); late < 0 || late > time.Microsecond {
					t.Errorf("%s happens %v late", name, late)
				}
				got = append(got, name)
			}
		}
		mu.Lock()
		l.At(begin.Add(30*time.Millisecond), note("last", 30*time.Millisecond))
		l.At(begin.Add(10*time.Millisecond), note("second", 10*time.Millisecond))
		l.At(begin.Add(10*time.Millisecond), note("third", 10*time.Millisecond))
		l.At(begin.Add(-time.Second), func(now time.Time) { // what has come happens at once
			note("first", 0)(now)
			l.At(begin.Add(20*time.Millisecond), note("fourth", 20*time.Millisecond))
		})
		mu.Unlock()
		time.Sleep(time.Second)
		mu.Lock()
		defer mu.Unlock()
		if want := []string{"first", "second", "third", "fourth", "last"}; !slices.Equal(got, want) {
			t.Errorf("happened %v, want %v", got, want)
		}
	})
}

func TestWanderStaysWithinItsBoundsAndMovesSlowly(t *testing.T) {
	w := NewWander(rand.New(rand.NewPCG(1, 1)))
	least, most, before := 1.0, -1.0, w.At(0)
	for now := time.Millisecond; now < time.Minute; now += time.Millisecond {
		v := w.At(now)
		if step := v - before; step > 2.0/40 || step < -2.0/40 { // from end to end in wanderStep at the quickest
			t.Fatalf("a step of %.3f in 1 ms", step)
		}
		least, most, before = min(least, v), max(most, v), v
	}
	if least < -1 || most > 1 || least > -0.9 || most < 0.9 {
		t.Errorf("from %.2f to %.2f in a minute", least, most)
	}
}
