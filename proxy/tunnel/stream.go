package tunnel

import (
	"net"
	"sync/atomic"
	"time"

	"hawser/proxy/tunnel/mux"
)

// Stream is one proxied connection. LocalAddr is the server's address towards the target (a *net.TCPAddr).
type Stream struct {
	*mux.Stream
	bound   net.TCPAddr
	pool    *Pool
	session *clientSession
	target  Target
	flow    flow
	bulk    atomic.Bool // was bulk at some time
	given   atomic.Bool // Close or Reset was called
}

// LocalAddr is the address by which the server left for the target (SOCKS5: BND.ADDR).
func (st *Stream) LocalAddr() net.Addr { return &st.bound }

// Read is mux.Stream's.
func (st *Stream) Read(b []byte) (int, error) {
	n, err := st.Stream.Read(b)
	st.moved(n)
	return n, err
}

// Write is mux.Stream's.
func (st *Stream) Write(b []byte) (int, error) {
	n, err := st.Stream.Write(b)
	st.moved(n)
	return n, err
}

// moved looks after n bytes whether the stream is bulk.
func (st *Stream) moved(n int) {
	now := time.Now()
	if n == 0 || !st.flow.add(now, n, bulkLimit(st.session.transport)) {
		return
	}
	if !st.bulk.Swap(true) {
		st.pool.habits.becameBulk(st.target, now)
	}
	if st.session.noteBulk(now) {
		st.pool.wake() // it may be time for another session
	}
}

// Close is mux.Stream's.
func (st *Stream) Close() error {
	st.learn()
	return st.Stream.Close()
}

// Reset is mux.Stream's.
func (st *Stream) Reset() {
	st.learn()
	st.Stream.Reset()
}

// learn notes once what kind of stream it was.
func (st *Stream) learn() {
	if !st.given.Swap(true) && !st.bulk.Load() {
		st.pool.habits.stayedSmall(st.target)
	}
}
