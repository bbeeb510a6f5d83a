package netlab

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// A CPUMark is a reading of the machine's processor time, to be compared with a later one.
type CPUMark struct {
	total, idle, steal int64 // clock ticks
}

// CPUUse is what the machine's processors did between two marks, as shares of all of them (0–1).
type CPUUse struct {
	Busy  float64 // not idle, steal included
	Steal float64 // taken by the hypervisor for others
}

// saturated is the busy share above which a measurement says more about the machine than about what it measures.
const saturated = 0.9

// Saturated reports whether a measurement in this time is void.
func (u CPUUse) Saturated() bool { return u.Busy > saturated }

// MarkCPU reads the processor time now.
func MarkCPU() (CPUMark, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return CPUMark{}, fmt.Errorf("processor time: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return parseCPU(line)
}

// parseCPU reads the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. The guest times
// behind them are in user and nice already (proc(5)).
func parseCPU(line string) (m CPUMark, err error) {
	const idle, iowait, steal, known = 4, 5, 8, 9
	fields := strings.Fields(line)
	if len(fields) < known || fields[0] != "cpu" {
		return CPUMark{}, fmt.Errorf("processor time: unknown format %q", line)
	}
	for n, f := range fields[1:known] {
		ticks, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return CPUMark{}, fmt.Errorf("processor time: %w", err)
		}
		m.total += ticks
		switch n + 1 {
		case idle, iowait:
			m.idle += ticks
		case steal:
			m.steal = ticks
		}
	}
	return m, nil
}

// Since returns what the processors did from an earlier mark to this one. The clock has 10 ms ticks: leave some 100 ms
// between the marks.
func (m CPUMark) Since(earlier CPUMark) CPUUse {
	total := m.total - earlier.total
	if total <= 0 {
		return CPUUse{}
	}
	return CPUUse{
		Busy:  1 - float64(m.idle-earlier.idle)/float64(total),
		Steal: float64(m.steal-earlier.steal) / float64(total),
	}
}
