package middlebox

import (
	"time"

	"hawser/test/netlab"
)

// Split cuts segments into smaller ones. Each gets a copy of the options.
//
// What it stands for: network cards with TCP segmentation offload, which copy the options onto every segment they make,
// and routers that do it for them.
type Split struct {
	Size int // of the largest payload that stays whole, bytes; at least 1
	counter
}

// Handle implements netlab.Stage.
func (p *Split) Handle(_ time.Time, frame []byte, out netlab.Output) {
	s, ok := dissect(frame)
	if !ok || len(s.payload) <= max(p.Size, 1) {
		out.Forward(frame)
		return
	}
	p.acted(1)
	forwardCut(&s, max(p.Size, 1), out)
}

// forwardCut forwards a segment in parts of at most so many bytes of payload. FIN and PSH belong to the last part, CWR
// and SYN to the first.
func forwardCut(s *segment, size int, out netlab.Output) {
	rest, flags := s.payload, s.flags
	for {
		part := *s
		part.payload = rest[:min(size, len(rest))]
		rest = rest[len(part.payload):]
		part.flags = flags
		if len(rest) > 0 {
			part.flags &^= flagFIN | flagPSH
		}
		out.Forward(part.frame())
		if len(rest) == 0 {
			return
		}
		s.seq = part.end()
		flags &^= flagCWR | flagSYN
	}
}
