package middlebox

import (
	"bytes"
	"time"

	"hawser/test/netlab"
)

// A PayloadRewriter replaces a string by another in what goes ahead, and repairs the checksums. If their lengths
// differ it adjusts the sequence numbers that follow, and translates the acknowledgements and SACK blocks that go back.
//
// What it stands for: application-level gateways (the addresses in FTP's PORT and in SIP), proxies that alter HTTP
// headers, appliances that replace words or advertisements. MPTCP's mappings and checksums do not fit any more.
//
// A string is found only whole in one segment. Segments that grow beyond the size they had are cut.
type PayloadRewriter struct {
	old, new []byte
	flows    map[flow]*edits
	counter
}

// RewritePayload makes a box that replaces old, which must not be empty.
func RewritePayload(old, new string) *PayloadRewriter {
	if old == "" {
		panic("BUG: an empty string is everywhere: give one to look for")
	}
	return &PayloadRewriter{old: []byte(old), new: []byte(new), flows: map[flow]*edits{}}
}

// Ahead implements Box.
func (r *PayloadRewriter) Ahead() netlab.Stage { return half(r.ahead) }

// Back implements Box.
func (r *PayloadRewriter) Back() netlab.Stage { return half(r.back) }

func (r *PayloadRewriter) ahead(_ time.Time, s *segment, frame []byte, out netlab.Output) {
	e := r.flows[s.flow()]
	if e == nil || s.has(flagSYN) {
		e = &edits{}
		r.flows[s.flow()] = e
	}
	start := s.seq
	if s.has(flagSYN) {
		start++
	}
	before := len(e.list)
	payload := e.rewrite(start, s.payload, r.old, r.new)
	r.acted(len(e.list) - before)
	if len(e.list) == 0 {
		out.Forward(frame)
		return
	}
	size := len(s.payload)
	s.seq, s.payload = e.ahead(s.seq), payload
	forwardCut(s, max(size, minCut), out)
}

// minCut is the least size to which a grown segment is cut, in bytes: the MSS that every host takes (RFC 9293 §3.7.1).
const minCut = 536

func (r *PayloadRewriter) back(_ time.Time, s *segment, frame []byte, out netlab.Output) {
	e := r.flows[s.flow().reverse()]
	if e == nil || len(e.list) == 0 || !s.has(flagACK) {
		out.Forward(frame)
		return
	}
	s.ack = e.back(s.ack)
	s.options = bytes.Clone(s.options)
	eachSACKEdge(s.options, e.back)
	out.Forward(s.frame())
}
