package netlab

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// quantum is the shortest sleep: on quick links several frames are handed over at once, at most this late.
	quantum = 100 * time.Microsecond
	// maxLag bounds how long arrived frames may lie in the socket while the thread waits for departures only.
	maxLag = time.Millisecond
)

// A wire is the emulator of one link: two pipes and the sockets at their ends, served by one thread. mu guards
// everything below it; the thread holds it while it works and releases it while it sleeps.
type wire struct {
	epoch time.Time // zero of the pipes' time
	size  int       // of a frame's buffer
	mtu   int
	stop  chan struct{} // closed when the thread has ended

	mu     sync.Mutex
	ends   [2]end // by side
	wake   int    // event descriptor that ends the thread's sleep
	pool   [][]byte
	closed bool
	err    error          // what ended the thread early
	atEnd  []func() error // run when the thread ends
}

// An end is one side of a wire: its socket, and the pipe that starts there.
type end struct {
	socket *packetSocket
	mac    net.HardwareAddr // of the host's interface on this side
	pipe   *pipe
	chain  chain
	taps   []func(at time.Time, frame []byte) // see what this side's host receives
	due    []frame                            // being handed over to this side
	answer []byte
}

// newWire starts the emulator between two interfaces of the current thread's namespace.
func newWire(names [2]string, macs [2]net.HardwareAddr, mtu int, shapes [2]Shape, seed uint64) (*wire, error) {
	w := &wire{epoch: time.Now(), size: mtu + 64, mtu: mtu, stop: make(chan struct{}), wake: -1}
	for side := range w.ends {
		socket, err := openPacketSocket(names[side], w.alloc)
		if err != nil {
			w.release()
			return nil, err
		}
		w.ends[side] = end{
			socket: socket, mac: macs[side],
			pipe: &pipe{chance: newChance(seed, uint64(side)), free: w.recycle},
		}
		w.link(Side(side))
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		w.release()
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	w.wake = wake
	w.setShapes(shapes)
	go w.run()
	return w, nil
}

// link connects the chain of a side with the pipes.
func (w *wire) link(side Side) {
	into := func(s Side) func(time.Time, []byte) {
		return func(now time.Time, b []byte) {
			w.ends[s].pipe.push(now.Sub(w.epoch), append(w.alloc()[:0], b...))
		}
	}
	w.ends[side].chain.forward, w.ends[side].chain.backward = into(side), into(side.other())
}

// setShapes changes both directions and works out their queues.
func (w *wire) setShapes(shapes [2]Shape) {
	now := time.Since(w.epoch)
	baseRTT := shapes[0].Delay + shapes[1].Delay
	for side := range w.ends {
		p := w.ends[side].pipe
		p.advance(now) // what has left the queue by now has done so in the old shape
		p.shape = shapes[side]
		p.limit = p.shape.queueLimit(baseRTT, w.mtu+etherHeader)
	}
}

// change runs f between two turns of the thread, which then looks at everything anew. What the hosts have sent before
// has entered the link when f runs; so the thread must wake even if f changes nothing: no frame is left in the sockets
// to wake it for those that have entered.
func (w *wire) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	for w.err == nil && w.receive() {
	}
	f()
	_, _ = unix.Write(w.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
}

// close ends the thread and returns the error that ended it before, if one did.
func (w *wire) close() error {
	w.change(func() { w.closed = true })
	<-w.stop
	return w.err
}

// release closes the descriptors.
func (w *wire) release() {
	for _, e := range w.ends {
		if e.socket != nil {
			_ = e.socket.close()
		}
	}
	if w.wake >= 0 {
		_ = unix.Close(w.wake)
	}
}

// run is the thread. It is never unlocked, so its priority ends with it.
func (w *wire) run() {
	runtime.LockOSThread()
	hurry()
	defer close(w.stop)
	for {
		w.mu.Lock()
		wait, mode := w.turn()
		if w.closed || w.err != nil {
			w.closed = true
			w.release()
			for _, f := range w.atEnd {
				w.fail(f())
			}
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		w.sleep(wait, mode)
	}
}

// hurry makes the thread one that the kernel wakes in time. Without the right to, it stays an ordinary one.
func hurry() {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	tid := unix.Gettid()
	_ = unix.Setpriority(unix.PRIO_PROCESS, tid, -20)
	if attr, err := unix.SchedGetAttr(tid, 0); err == nil {
		attr.Runtime = uint64(100 * time.Microsecond) // a short slice has an early deadline (EEVDF)
		_ = unix.SchedSetAttr(tid, attr, 0)
	}
}

// alloc takes a frame's memory from the pool.
func (w *wire) alloc() []byte {
	if n := len(w.pool); n > 0 {
		b := w.pool[n-1]
		w.pool = w.pool[:n-1]
		return b
	}
	return make([]byte, w.size)
}

// recycle gives a frame's memory back to the pool. A middlebox may have made a frame that is too long for it.
func (w *wire) recycle(b []byte) {
	if cap(b) >= w.size {
		w.pool = append(w.pool, b[:w.size])
	}
}

// fail records the first error.
func (w *wire) fail(err error) { w.err = errors.Join(w.err, err) }
