package tunnel

import (
	"context"
	"time"
)

// Stats is a snapshot.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	sessions := append([]*clientSession(nil), p.sessions...)
	draining := make([]string, len(sessions))
	for i, s := range sessions {
		draining[i] = s.draining
	}
	dials := append([]string(nil), p.dials...)
	failure, closing := p.failure, p.closing
	p.mu.Unlock()

	now := time.Now()
	st := PoolStats{State: StateConnecting}
	for i, s := range sessions {
		one := s.stats(now, draining[i])
		st.Sessions = append(st.Sessions, one)
		st.Streams += one.Streams
		if one.State == StateEstablished {
			st.State = StateEstablished
		} else if one.State == StateWaiting && st.State != StateEstablished {
			st.State, st.Reason = StateWaiting, one.Reason
		}
	}
	reason := ""
	if failure != nil {
		reason = failure.Error()
	}
	for _, id := range dials {
		st.Sessions = append(st.Sessions, SessionStats{ID: id, State: StateConnecting, Reason: reason})
	}
	switch {
	case closing:
		st.State, st.Reason = StateClosing, "shutting down"
	case st.State == StateEstablished:
		st.Reason = ""
	case failure != nil:
		st.State, st.Reason, st.Rejected = StateWaiting, reason, permanent(failure)
	}
	return st
}

// Close takes no new streams, waits for the open ones until ctx ends, and ends the sessions.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closing = true
	p.notify()
	p.mu.Unlock()
	p.cancel() // dials end
	err := p.awaitStreams(ctx)
	p.mu.Lock()
	sessions := append([]*clientSession(nil), p.sessions...)
	p.mu.Unlock()
	for _, s := range sessions {
		if err != nil {
			p.tasks.Go(s.abort)
		} else if !s.closed.Swap(true) {
			p.tasks.Go(s.close)
		}
	}
	p.tasks.Wait()
	return err
}

// awaitStreams waits until no session has a stream.
func (p *Pool) awaitStreams(ctx context.Context) error {
	<-p.ran // from now on what the sessions wake is us
	for {
		if p.Stats().Streams == 0 {
			return nil
		}
		select {
		case <-p.wakeup:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
