package packet

import "slices"

// Degrade moves everything that leaves by an interface to raw IP, until Restore: for a local firewall that has to see
// the traffic (see Suspicion), or because the user wants it. The reason appears in the status.
func (s *Socket) Degrade(index int, reason string) {
	if f := s.interfaces.get(index); f != nil {
		f.mu.Lock()
		f.ladder.degrade(reason)
		f.mu.Unlock()
	}
}

// Restore lets an interface begin again with the best mode that its kind has.
func (s *Socket) Restore(index int) {
	if f := s.interfaces.get(index); f != nil {
		f.mu.Lock()
		f.ladder.restore(f.best, f.bestReason)
		f.mu.Unlock()
	}
}

// Status is a snapshot.
func (s *Socket) Status() Status {
	for _, t := range s.taps {
		s.received.overruns.Add(t.overruns())
	}
	st := Status{Received: s.received.snapshot(), ReceiveBuffer: s.taps[0].buffer}
	for _, f := range append(s.interfaces.list(), s.unrouted) {
		if v := f.status(); v.Counters != (Counters{}) || v.Index == s.index && s.index != 0 {
			st.Interfaces = append(st.Interfaces, v)
		}
	}
	slices.SortFunc(st.Interfaces, func(a, b InterfaceStatus) int { return a.Index - b.Index })
	return st
}
