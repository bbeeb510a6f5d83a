package mptcp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"hawser/scheduler"
	"hawser/transport"
	"hawser/transport/uplink"
	"hawser/transport/wire"
)

// core is the connection as its loop sees it: all protocol state. Only the loop calls it, and it reads no clock.
type core struct {
	cfg    Config
	conn   *Conn
	client bool
	state  ConnState
	err    error // why it ended

	local, remote Key
	knowRemote    bool
	binding       []byte    // of Bind
	chaCha        bool      // of Bind
	trusted       bool      // Authenticate was called
	expires       time.Time // of the time before Authenticate
	survive       time.Duration
	orphaned      time.Time      // since when no subflow works; zero: one does
	first         transport.Path // client: of the first subflow
	group         string         // the peer's process, for the board

	subs      []*subflow
	nextSub   int
	nonces    uint32       // random: where our nonces begin
	paths     *pathManager // nil on a server
	stopWatch func()
	addrs     addresses

	sched   scheduler.Scheduler
	scratch schedule
	send    sendBuffer
	nxt     uint64 // next byte to be given to a subflow for the first time
	edge    uint64 // right edge of the peer's window
	again   reinjection
	headAt  time.Time // when send.una last grew
	waste   allowance
	pressed time.Time // when a Write last had to wait
	stalled time.Time // when to look for room again; zero: nothing waits
	fin     finState

	recv   reassembly
	window recvWindow
	inDSN  uint64 // data sequence number of the stream's first byte
	clear  uint64 // bytes from inDSN to the end of the furthest that came without a seal
	out    []transport.Payload
	moved  time.Time // when data last came or went
	news   bool      // something arrived that a DATA_ACK should tell
	pushed uint64    // DATA_ACK that was last pushed
	toldAt time.Time // when
}

// ConnState is the state of a connection as the status API tells it.
type ConnState string

// The states of a connection.
const (
	ConnConnecting  ConnState = "connecting"
	ConnEstablished ConnState = "established"
	ConnWaiting     ConnState = "waiting" // no subflow works
	ConnClosing     ConnState = "closing"
	connEnded       ConnState = "ended"
)

// Errors of a connection; net.OpError wraps them.
var (
	// ErrNoUplink says that a connection's last subflow was lost for longer than it may survive.
	ErrNoUplink = errors.New("no uplink reached the peer in time")
	// ErrStranger says that a connection was not authenticated in time or sent too much before.
	ErrStranger = errors.New("the peer was not authenticated in time")
	// ErrTampered says that data came before the seal which the peer has not sent.
	ErrTampered = errors.New("a path has put in data")
)

func newCore(cfg Config, conn *Conn, client bool, local Key) (*core, error) {
	sched, err := cfg.newScheduler()
	if err != nil {
		return nil, err
	}
	k := &core{
		cfg: cfg, conn: conn, client: client, state: ConnConnecting, sched: sched,
		local: local, survive: cfg.Survive, waste: allowance{bytes: allowanceStart}, nonces: rand.Uint32(),
	}
	first := local.IDSN() + 1 // RFC 8684 §3.1: the handshake consumes the IDSN itself
	k.send, k.nxt, k.edge = newSendBuffer(first), first, first+strangerBytes
	return k, nil
}

// setRemote takes in the peer's key: from now on its sequence numbers are known.
func (k *core) setRemote(now time.Time, key Key) {
	k.remote, k.knowRemote = key, true
	k.inDSN = key.IDSN() + 1
	k.recv.next = k.inDSN
	k.window.start(now, k.inDSN)
	k.pushed = k.inDSN
}

// addSubflow books a subflow; the caller sets its carrier, whose inputs come back through the inbox.
func (k *core) addSubflow(now time.Time, p transport.Path, id uint8, initial bool) *subflow {
	s := &subflow{
		id: k.nextSub, path: p, addrID: id, initial: initial, backup: p.Backup,
		expires: now.Add(handshakeTime), progress: now, nonce: k.nonce(),
	}
	k.nextSub++
	k.watchBoard(s)
	k.subs = append(k.subs, s)
	return s
}

// watchBoard points the subflow to its uplink's line on the board.
func (k *core) watchBoard(s *subflow) {
	key := uplink.Key{Uplink: s.path.Uplink, Peer: k.group}
	if !k.client {
		key.Uplink = fmt.Sprint(s.addrID)
	}
	if k.group == "" && !k.client || k.cfg.off.board {
		key.Peer = fmt.Sprintf("%s#%d", k.conn.id, s.id) // a stranger's facts are its own
	}
	if s.entry != nil {
		if s.key == key {
			return
		}
		s.stop()
		s.entry.Forget(s.inFlight)
		s.entry.Beyond(-s.beyond)
		s.beyond = 0
		k.cfg.Board.Release(s.entry)
		s.ranges.unmark()
	}
	s.key, s.entry = key, k.cfg.Board.Acquire(key)
	s.stop = s.entry.Watch(func() { k.conn.box.put(message{do: func(now time.Time) { k.suspicion(now, s) }}) })
}

// unmark makes ranges that another board line has marked give no rate samples: their bytes count from now on.
func (q *rangeQueue) unmark() {
	for i := range q.live() {
		q.live()[i].mark = uplink.Mark{}
	}
}

// drop ends a subflow: its data is sent again on the others. With tell the peer hears the reason.
func (k *core) drop(now time.Time, s *subflow, reason wire.ResetReason, why string) {
	if s.phase == phaseDead {
		return
	}
	was := s.phase
	s.phase, s.reason = phaseDead, why
	if s.carrier != nil {
		s.carrier.Abort(reason)
	}
	k.reinjectAll(s)
	s.entry.Forget(s.inFlight)
	s.entry.Beyond(-s.beyond)
	s.inFlight, s.beyond = 0, 0
	s.ranges.drop()
	s.stop()
	k.cfg.Board.Release(s.entry)
	for i, o := range k.subs {
		if o == s {
			k.subs = append(k.subs[:i], k.subs[i+1:]...)
			break
		}
	}
	if was >= phaseActive {
		k.news = true // a DATA_ACK or window that it carried may be lost: tell them again elsewhere
	}
	k.notice(s)
	lostRace := s.initial && k.knowRemote && was < phaseActive
	if k.paths != nil && !lostRace {
		k.paths.failed(now, s, was >= phaseActive)
	}
	k.checkOrphan(now)
}

// checkOrphan notes since when no subflow works, and ends a connection that must not outlive its subflows.
func (k *core) checkOrphan(now time.Time) {
	if k.state == connEnded {
		return
	}
	if k.anyActive() {
		k.orphaned = time.Time{}
		k.conn.waiting.Store(false)
		if k.state == ConnWaiting {
			k.state = ConnEstablished
		}
		return
	}
	if !k.orphaned.IsZero() || k.racing() {
		return
	}
	k.orphaned = now
	k.conn.waiting.Store(true)
	if k.state == ConnEstablished {
		k.state = ConnWaiting
	}
	if !k.trusted || k.survive < 0 {
		k.end(now, fmt.Errorf("%w: the only subflow was lost", ErrNoUplink), true)
	}
}

// racing reports whether a first handshake may still succeed: one of several, or the last step of the one that won.
func (k *core) racing() bool {
	return k.client && k.state == ConnConnecting && (!k.knowRemote || len(k.subs) > 0)
}

func (k *core) anyActive() bool {
	for _, s := range k.subs {
		if s.works() {
			return true
		}
	}
	return false
}

func (k *core) notice(s *subflow) {
	k.cfg.Observe(Notice{
		Conn: k.conn.id, Subflow: fmt.Sprint(s.id), Path: s.path, State: s.state(), Reason: s.reason,
		Known: s.known,
	})
}

// end finishes the connection: err is what Read and Write return; broken drops what is unread.
func (k *core) end(now time.Time, err error, broken bool) {
	if k.state == connEnded {
		return
	}
	k.state, k.err = connEnded, err
	if k.paths != nil && k.knowRemote && !k.trusted {
		k.paths.impostor(k.first)
	}
	for len(k.subs) > 0 {
		k.drop(now, k.subs[0], wire.ResetUnspecified, "the session has ended")
	}
	k.conn.in.fail(err, broken)
	k.conn.outg.fail(err)
	k.send.release()
	k.recv.release()
	k.window.release(k.cfg.Budget)
}
