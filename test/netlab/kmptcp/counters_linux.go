package kmptcp

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"hawser/test/netlab"
)

// Counters are the MPTCP counters of a host by their names in /proc/net/netstat, such as MPJoinAckRx.
type Counters map[string]int64

// group is the name of MPTCP's counters in /proc/net/netstat.
const group = "MPTcpExt:"

// ReadCounters reads the counters of a host.
func ReadCounters(h *netlab.Host) (c Counters, err error) {
	err = h.Do(func() error {
		// The namespace is that of this thread; /proc/net would be that of the process.
		text, err := os.ReadFile("/proc/thread-self/net/netstat")
		if err != nil {
			return err
		}
		c, err = parseCounters(string(text))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("kmptcp: counters of %s: %w", h.Name(), err)
	}
	return c, nil
}

// parseCounters reads the two lines of MPTCP's group: names and values.
func parseCounters(text string) (Counters, error) {
	var lines [][]string
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 0 && f[0] == group {
			lines = append(lines, f[1:])
		}
	}
	if len(lines) != 2 || len(lines[0]) != len(lines[1]) {
		return nil, fmt.Errorf("no group %s: the kernel has no MPTCP", group)
	}
	c := Counters{}
	for i, name := range lines[0] {
		v, err := strconv.ParseInt(lines[1][i], 10, 64)
		if err != nil {
			return nil, err
		}
		c[name] = v
	}
	return c, nil
}

// Since returns what has been counted since an earlier reading.
func (c Counters) Since(earlier Counters) Counters {
	d := Counters{}
	for name, v := range c {
		d[name] = v - earlier[name]
	}
	return d
}

// Joins is the number of further subflows that have been established. Of a pair of hosts each counts them in its role:
// who answers a join the last message of its handshake, who asks for one the second.
func (c Counters) Joins() int64 { return c["MPJoinAckRx"] + c["MPJoinSynAckRx"] }

// fallbacks are the counters that tell of a connection, or of an attempt at one, that became plain TCP, by what each
// kernel version calls them.
var fallbacks = []string{
	"MPCapableFallbackACK", "MPCapableFallbackSYNACK", "MPFallbackTokenInit", "MPCapableSYNTXDrop",
	"MPCapableDataFallback", "MD5SigFallback", "DssFallback", "SimultConnectFallback", "FallbackFailed",
	"InfiniteMapTx", "InfiniteMapRx", "DSSCorruptionFallback", "Blackhole",
}

// Fallbacks is the number of times that a connection fell back to TCP.
func (c Counters) Fallbacks() (sum int64) {
	for _, name := range fallbacks {
		sum += c[name]
	}
	return sum
}

// Proof tells what keeps a difference of readings from proving that connections had so many further subflows in all and
// none fell back; nil: it proves that.
func (c Counters) Proof(joins int) error {
	if n := c.Joins(); n != int64(joins) {
		return fmt.Errorf("kmptcp: %d subflows joined, %d are needed: counted %s", n, joins, c)
	}
	if c.Fallbacks() != 0 {
		return fmt.Errorf("kmptcp: a connection fell back to TCP: counted %s", c)
	}
	return nil
}

// String lists the counters that are not 0.
func (c Counters) String() string {
	var list []string
	for name, v := range c {
		if v != 0 {
			list = append(list, fmt.Sprintf("%s %d", name, v))
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
