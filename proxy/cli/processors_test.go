package cli

import (
	"runtime"
	"testing"
)

func TestHalfOfTheProcessorsIsLeftToTheKernel(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 1, 3: 1, 4: 2, 64: 32} {
		if got := half(n); got != want {
			t.Errorf("of %d processors %d, want %d", n, got, want)
		}
	}
}

func TestNumberOfProcessorsCanBeSetByHand(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	t.Setenv(processorsVariable, "8")
	limitProcessors()
	if n := runtime.GOMAXPROCS(0); n != 8 {
		t.Errorf("%d processors, want the 8 of the environment", n)
	}
	t.Setenv(processorsVariable, "")
	limitProcessors()
	if n := runtime.GOMAXPROCS(0); n != 4 {
		t.Errorf("%d processors, want half of 8", n)
	}
}
