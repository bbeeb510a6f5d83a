package tunnel

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"hawser/proxy/tunnel/mux"
)

// flushTime bounds how long an end waits for what is queued when it closes a session in order.
const flushTime = 5 * time.Second

var errClosedByPeer = errors.New("closed by the server")

// clientSession is one session of the pool. draining and darkSince belong to Pool.mu; everything else is set once or
// locks itself.
type clientSession struct {
	id        string
	transport Transport
	mux       *mux.Session
	welcome   Welcome
	began     time.Time
	meter     meter
	opening   atomic.Int32 // streams that chose this session and are not in the mux yet
	lastBulk  atomic.Int64 // Unix time in ns at which a stream of bulk last moved bytes
	draining  string       // why no new streams go here; empty: they do
	darkSince time.Time    // first look that found no uplink; zero: the last one found one
	closed    atomic.Bool  // close was called
}

// startSession runs the mux over what clientHandshake gave. wake is called when the pool should look at its
// sessions again.
func startSession(conn net.Conn, t Transport, w Welcome, c PoolConfig, id string, wake func()) (*clientSession, error) {
	s := &clientSession{id: id, transport: t, welcome: w, began: time.Now()}
	var worn atomic.Bool
	m, err := mux.New(conn, mux.Config{
		Client:    true,
		Windows:   c.Windows,
		MaxWindow: c.MaxWindow,
		OnIdle:    wake,
		OnData: func(n int) {
			if s.meter.add(time.Now(), n) >= maxSessionBytes && !worn.Swap(true) {
				wake()
			}
		},
	})
	if err != nil {
		t.Abort()
		return nil, err
	}
	s.mux = m
	return s, nil
}

// streams is how many the session has or is about to have.
func (s *clientSession) streams() int { return s.mux.Streams() + int(s.opening.Load()) }

// full tells that the server allows no more streams here.
func (s *clientSession) full() bool {
	return s.welcome.Streams > 0 && s.streams() >= int(s.welcome.Streams)
}

// load is what a new stream would queue behind, bytes: the backlog, and what moved in the last second.
func (s *clientSession) load(now time.Time) int { return s.transport.Backlog() + s.meter.rate(now) }

// noteBulk notes that a stream of bulk moves bytes; it tells whether the session was free of bulk before.
func (s *clientSession) noteBulk(now time.Time) (first bool) {
	return now.UnixNano()-s.lastBulk.Swap(now.UnixNano()) >= int64(bulkHold)
}

// bulk tells that small requests should not go here.
func (s *clientSession) bulk(now time.Time) bool {
	return now.UnixNano()-s.lastBulk.Load() < int64(bulkHold) || s.transport.Backlog() >= bulkBacklog
}

// worn tells why the session should be replaced; empty: it should not.
func (s *clientSession) worn(now time.Time) string {
	if total, _ := s.meter.moved(); total >= maxSessionBytes {
		return "replaced after 64 GB"
	}
	if now.Sub(s.began) >= maxSessionAge {
		return "replaced after 24 h"
	}
	return ""
}

// idleSince is when the session last did something; zero: it has streams.
func (s *clientSession) idleSince() time.Time {
	if s.streams() > 0 {
		return time.Time{}
	}
	_, busy := s.meter.moved()
	if busy.Before(s.began) {
		return s.began
	}
	return busy
}

// close ends the session in order, after what is queued.
func (s *clientSession) close() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	_ = s.mux.Flush(ctx)
	_ = s.mux.Close()
}

// abort ends the session now.
func (s *clientSession) abort() {
	s.transport.Abort()
	_ = s.mux.Close()
}

// why is the reason of its end.
func (s *clientSession) why() error {
	if err := s.transport.Err(); err != nil {
		return err
	}
	if err := s.mux.Err(); err != nil && err != io.EOF {
		return err
	}
	return errClosedByPeer
}

// stats is a snapshot; draining is the field, read under Pool.mu.
func (s *clientSession) stats(now time.Time, draining string) SessionStats {
	total, _ := s.meter.moved()
	st := SessionStats{
		ID: s.id, State: StateEstablished, Streams: s.mux.Streams(), Bytes: total, Rate: s.meter.rate(now),
		Age: now.Sub(s.began), Transport: s.transport,
	}
	switch {
	case draining != "":
		st.State, st.Reason = StateClosing, draining
	case s.transport.Waiting():
		st.State, st.Reason = StateWaiting, "no uplink works"
	}
	return st
}
