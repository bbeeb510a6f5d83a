package cli

import (
	"os"
	"runtime"
)

// processorsVariable is what sets the number of processors by hand: the Go runtime reads it.
const processorsVariable = "GOMAXPROCS"

// limitProcessors lets Go code run on half of the processors at the same time, unless the environment says how many.
//
// For each byte that is relayed the kernel works as much as the program does, and the runtime wakes a second thread
// whenever it has something to do: on a machine with two processors that thread takes the processor from the kernel and
// from the programs that wait for the answer, and what it works on is in the other one's cache. With one, a stream was
// a tenth quicker, and a small exchange 0.3 ms.
func limitProcessors() {
	if os.Getenv(processorsVariable) == "" {
		runtime.GOMAXPROCS(half(runtime.GOMAXPROCS(0)))
	}
}

// half of n processors; at least one.
func half(n int) int { return max(1, n/2) }
