package tunnel

import (
	"sync"
	"time"
)

// meter measures application data, both ways. The zero value is ready.
type meter struct {
	mu     sync.Mutex
	second time.Time // when the current second began
	now    int       // bytes in it
	last   int       // bytes in the second before
	total  int64
	busy   time.Time // when bytes last moved
}

// add counts n bytes; it gives how many they are in all.
func (m *meter) add(at time.Time, n int) (total int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(at)
	m.now += n
	m.total += int64(n)
	m.busy = at
	return m.total
}

// turn moves on to the second that at lies in. Under mu.
func (m *meter) turn(at time.Time) {
	switch age := at.Sub(m.second); {
	case age < time.Second:
	case age < 2*time.Second:
		m.last, m.now, m.second = m.now, 0, m.second.Add(time.Second)
	default:
		m.last, m.now, m.second = 0, 0, at
	}
}

// rate is bytes in the last second: the current one, and the part of the one before that is still within it.
func (m *meter) rate(at time.Time) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(at)
	left := time.Second - at.Sub(m.second)
	return m.now + int(float64(m.last)*left.Seconds())
}

// moved is bytes in all, and when the last of them moved.
func (m *meter) moved() (total int64, busy time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total, m.busy
}
