package plaintest

import "time"

const (
	segmentSize = 1448 // payload of a full segment
	headerSize  = 66   // of Ethernet, IP and TCP with timestamps
	packetSize  = segmentSize + headerSize
)

// flow is one direction of a connection: TCP's sender at one end, its receiver at the other. n.mu guards it.
//
// The sender is in sender.go, its loss recovery in recovery.go, its rate samples in sample.go, the receiver in
// receiver.go.
type flow struct {
	n    *Network
	path *direction // of data
	back *direction // of acknowledgements
	from *socket
	to   *socket

	sender
	receiver
}

func newFlow(n *Network, path, back *direction) *flow {
	f := &flow{n: n, path: path, back: back}
	f.cc = newController(n.cfg.Congestion, n.random())
	f.ooo = make(map[uint64]*segment)
	f.pacer.ring = f.push
	f.timer.ring = f.expired
	f.delayed.ring = f.acknowledge
	return f
}

// stop ends the sender for good.
func (f *flow) stop() {
	f.dead = true
	f.timer.at, f.pacer.at = time.Time{}, time.Time{}
	f.unsent, f.segs = nil, nil
	f.inFlight, f.sacked, f.lost = 0, 0, 0
}
