package inbound

import (
	"runtime"
	"testing"
)

// idleLimit bounds an idle application connection: client, relay, two stacks, socket, and the test's own end, stream
// and relay to the target. It is generous, for the race detector; what would break it is a copy buffer that is held
// while idle (32 kB or more).
const idleLimit = 44 << 10

func TestIdleTunnelsHoldNoBuffers(t *testing.T) {
	u := &tunnel{hosts: map[string]string{"example.com:443": echo(t)}}
	addr, _ := start(t, Options{Opener: u})
	for name, begin := range map[string]func() *app{
		"CONNECT": func() *app { return workingTunnel(t, addr) },
		"SOCKS5": func() *app {
			return connect(t, addr).send(greeting, 5, 1, 0, 3, 11, "example.com", 443>>8, 443&255, "ping").
				want("in", 5, 0, ok5, "ping")
		},
	} {
		const conns = 100
		before := memoryInUse()
		apps := make([]*app, conns)
		for i := range apps {
			apps[i] = begin()
			apps[i].r = nil // 4 kB of the test's
		}
		each := int(memoryInUse()-before) / conns
		t.Logf("%s: %d bytes for each idle connection", name, each)
		if each > idleLimit {
			t.Errorf("%s: an idle connection holds %d bytes; want at most %d", name, each, idleLimit)
		}
		runtime.KeepAlive(apps) // they stay open until the test ends: closing would disturb the next measurement
	}
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
