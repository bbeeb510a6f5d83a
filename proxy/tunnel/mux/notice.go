package mux

import "sync"

// notice is what a stream has to tell its peer about windows. It leaves with whichever frame goes next, or alone.
type notice struct {
	queued   bool
	grant    int  // bytes that the peer may send in addition
	recall   bool // the peer is to give back what it does not use
	answer   bool // a recall is to be answered
	returned int  // by this
}

// notices are the streams that have something to tell.
type notices struct {
	mu      sync.Mutex
	queue   []*Stream
	leaving bool // a goroutine is on its way to send them
}

// post adds to what a stream has to tell. It never waits for the connection.
func (s *Session) post(st *Stream, add func(*notice)) {
	q := &s.notices
	q.mu.Lock()
	add(&st.notice)
	if !st.notice.queued {
		st.notice.queued = true
		q.queue = append(q.queue, st)
	}
	alone := !q.leaving
	q.leaving = true
	q.mu.Unlock()
	if alone {
		go s.wire.release()
	}
}

// appendNotices empties the queue into frames.
func (s *Session) appendNotices(b []byte) []byte {
	q := &s.notices
	q.mu.Lock()
	defer q.mu.Unlock()
	q.leaving = false
	for i, st := range q.queue {
		n := st.notice
		st.notice = notice{}
		q.queue[i] = nil
		if n.answer { // before what a grant allows anew
			b = appendHeader(b, header{kind: kindWindow, flags: flagReturn, id: st.id, length: uint32(n.returned)})
		}
		if n.grant > 0 {
			b = appendHeader(b, header{kind: kindWindow, id: st.id, length: uint32(n.grant)})
		}
		if n.recall {
			b = appendHeader(b, header{kind: kindWindow, flags: flagRecall, id: st.id})
		}
	}
	q.queue = q.queue[:0]
	return b
}
