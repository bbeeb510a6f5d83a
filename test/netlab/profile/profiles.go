package profile

import (
	"fmt"
	"time"
)

const ms = time.Millisecond

func link(mbit int64, delay time.Duration) Link { return New(mbit*Mbit, delay) }

// TwoEqual is two links of 50 Mbit/s and 10 ms.
func TwoEqual() Profile {
	return Profile{"P1", []Link{link(50, 10*ms), link(50, 10*ms)}}
}

// CableLTE is two unequal links: 100 Mbit/s 8 ms, and 30 Mbit/s 30 ms with 0.1 % loss.
func CableLTE() Profile {
	return Profile{"P2", []Link{link(100, 8*ms), link(30, 30*ms).loss(0.001)}}
}

// TwoEqualOneLossy is two links of 50 Mbit/s and 10 ms, the second with 1 % loss.
func TwoEqualOneLossy() Profile {
	return Profile{"P3 lossy", []Link{link(50, 10*ms), link(50, 10*ms).loss(0.01)}}
}

// ThreeJittery is three unequal links, each with jitter.
func ThreeJittery() Profile {
	return Profile{"P3 jitter", []Link{
		link(100, 8*ms).jitter(2 * ms), link(50, 20*ms).jitter(10 * ms), link(30, 40*ms).jitter(10 * ms),
	}}
}

// FastSlow is 200 Mbit/s 5 ms, and 20 Mbit/s 100 ms with a queue of 200 ms.
func FastSlow() Profile {
	return Profile{"P4", []Link{link(200, 5*ms), link(20, 100*ms).queue(200 * ms)}}
}

// Named lists the profiles P1 to P4.
func Named() []Profile {
	return []Profile{TwoEqual(), CableLTE(), TwoEqualOneLossy(), ThreeJittery(), FastSlow()}
}

// Pairs is the table P5: a good link (100 Mbit/s 10 ms, or 30 Mbit/s 30 ms) with each of eight second ones, most of
// which are bad company. The names are "P5.1" to "P5.16".
func Pairs() []Profile {
	seconds := []Link{
		link(100, 10*ms),
		link(100, 10*ms).loss(0.01),
		link(100, 50*ms),
		link(30, 30*ms).loss(0.005),
		link(20, 100*ms),
		link(10, 150*ms).loss(0.02),
		link(50, 25*ms).jitter(20 * ms),
		link(5, 40*ms).queue(time.Second),
	}
	var pairs []Profile
	for _, first := range []Link{link(100, 10*ms), link(30, 30*ms)} {
		for _, second := range seconds {
			pairs = append(pairs, Profile{fmt.Sprintf("P5.%d", len(pairs)+1), []Link{first, second}})
		}
	}
	return pairs
}
