package relay

import (
	"runtime"
	"testing"
)

// idlePairLimit bounds an idle relayed pair, one end: relay, two goroutine stacks, the runtime's part of two sockets
// (the application's belongs to the test) and the test's own stream. The product's budget is 40 kB for both ends with
// everything else in it; what would break this is a copy buffer held while idle (32 kB or more).
const idlePairLimit = 20 << 10

func TestIdlePairsHoldNoBuffers(t *testing.T) {
	const pairs = 300
	before := memoryInUse()
	rigs := make([]*rig, pairs)
	for i := range rigs {
		rigs[i] = newRig(t, streamKinds["WaitReadable"], "")
	}
	for _, r := range rigs { // each has moved data both ways
		write(t, r.app, "ping")
		want(t, r.far, "ping")
		write(t, r.far, "pong")
		want(t, r.app, "pong")
	}
	each := int(memoryInUse()-before) / pairs
	t.Logf("%d bytes for each idle pair", each)
	if each > idlePairLimit {
		t.Errorf("an idle pair holds %d bytes; want at most %d", each, idlePairLimit)
	}
	runtime.KeepAlive(rigs)
}

// memoryInUse is heap and stacks after the pools were emptied (a sync.Pool survives one collection).
func memoryInUse() int64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
