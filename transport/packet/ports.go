package packet

import "math/rand/v2"

// candidates lists aligned blocks of count ports, in the order in which they should be tried: first those above the
// kernel's own range of ephemeral ports (low to high), which nothing else takes by itself, then those in it, then those
// below it. Each part is shuffled, so that a restarted program does not meet its own old connections.
func candidates(rng *rand.Rand, count, low, high int) []Block {
	var above, within, below []Block
	for first := (firstUnprivileged + count - 1) / count * count; first+count <= 1<<16; first += count {
		b := Block{First: uint16(first), Count: count}
		switch {
		case first > high:
			above = append(above, b)
		case first+count > low:
			within = append(within, b)
		case first >= firstRegistered:
			below = append(below, b)
		}
	}
	for _, part := range [][]Block{above, within, below} {
		rng.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
	}
	return append(append(above, within...), below...)
}

const (
	firstUnprivileged = 1024
	// firstRegistered leaves the ports alone where most services listen (RFC 6335 §6 has no better line).
	firstRegistered = 10000
)

// Ports is a block of local TCP ports that this process holds and that the kernel answers nothing on.
type Ports struct {
	block   Block
	holders []int // descriptors of kernel sockets, one a port
	deaf    bool  // they hear nothing at all; false: what comes with the top TTL
}

// Block is the ports.
func (p *Ports) Block() Block { return p.block }
