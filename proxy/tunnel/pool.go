package tunnel

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"hawser/proxy/tunnel/mux"
)

const (
	maxSessionBytes = 64e9           // application data after which a session is replaced
	maxSessionAge   = 24 * time.Hour // age at which it is
	idleTime        = 60 * time.Second
	dialTime        = 20 * time.Second // connection and handshake together
	firstRetry      = 250 * time.Millisecond
	lastRetry       = 5 * time.Second
	firstRejected   = 2 * time.Second // a server takes a second to follow an invite
	rejectedRetry   = 60 * time.Second
	giveUpTime      = 10 * time.Second // a new stream fails when no uplink has worked for so long
	lookAgain       = 250 * time.Millisecond
)

// PoolConfig configures a Pool.
type PoolConfig struct {
	Dialer    Dialer
	Identity  *Identity
	ServerKey ed25519.PublicKey
	Min       int           // sessions established ahead of need; 0: 2
	Max       int           // sessions that take new streams; 0: 16, less than Min: Min
	Survive   time.Duration // how long a session should outlive its last subflow; 0: 60 s
	Windows   *mux.Windows  // receive memory of all streams; nil: no limit
	MaxWindow int           // bytes, of one stream; 0: mux.DefaultMaxWindow
	Software  string        // version of the program, for the server's log
	OnWelcome func(Welcome) // told what the server said; nil: nobody is; must not block
	Log       zerolog.Logger

	off poolFeatures
}

// poolFeatures switches parts off, for tests that show what a part is good for.
type poolFeatures struct {
	ahead   bool // sessions are established ahead of need
	least   bool // a session free of bulk is chosen
	spare   bool // one session is kept free of bulk
	habits  bool // streams to targets of bulk go where bulk is
	replace bool // worn sessions are replaced
	backoff bool // a failed dial is not repeated at once
	giveUp  bool // a new stream fails when no uplink works
	dark    bool // a session without an uplink is not counted on
}

// Pool is a client's sessions. Its methods may be called from any goroutine.
//
// One goroutine (run) decides how many sessions there should be; it is woken by whatever changes that, and sleeps
// otherwise. Each dial and each session has a goroutine of its own that reports its end.
type Pool struct {
	c        PoolConfig
	tls      *tls.Config
	instance [8]byte
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	wakeup   chan struct{} // one slot
	ran      chan struct{} // closed when run has ended
	tasks    sync.WaitGroup

	habits habits

	mu       sync.Mutex
	sessions []*clientSession // oldest first
	dials    []string         // ids of sessions being made
	changed  chan struct{}    // closed and replaced when a session comes or goes, or a dial fails
	lastID   int
	failure  error // of the last dial; nil after one that worked
	retry    time.Duration
	retryAt  time.Time
	demand   int // streams that wait for a session
	closing  bool
}

// NewPool makes a pool and begins to establish its sessions.
func NewPool(c PoolConfig) (*Pool, error) {
	if c.Min <= 0 {
		c.Min = 2
	}
	if c.Max <= 0 {
		c.Max = 16
	}
	c.Max = max(c.Max, c.Min)
	if c.Survive == 0 {
		c.Survive = 60 * time.Second
	}
	if c.Windows == nil {
		c.Windows = mux.NewWindows(nil, 0)
	}
	if c.OnWelcome == nil {
		c.OnWelcome = func(Welcome) {}
	}
	if len(c.ServerKey) != ed25519.PublicKeySize {
		return nil, errors.New("tunnel: the server's public key is missing: set server.public_key")
	}
	p := &Pool{
		c:       c,
		tls:     clientTLS(c.Identity, c.ServerKey),
		wakeup:  make(chan struct{}, 1),
		ran:     make(chan struct{}),
		changed: make(chan struct{}),
	}
	_, _ = rand.Read(p.instance[:]) // documented never to fail
	p.habits.off = c.off.habits
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.tasks.Go(p.run)
	return p, nil
}

// wake makes run look again.
func (p *Pool) wake() {
	select {
	case p.wakeup <- struct{}{}:
	default:
	}
}

// notify wakes the streams that wait for a session. Under mu.
func (p *Pool) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// run keeps the sessions as they should be until Close.
func (p *Pool) run() {
	defer close(p.ran)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-p.wakeup:
		case <-timer.C:
		case <-p.ctx.Done():
			return
		}
		if next := p.tend(time.Now()); next > 0 {
			timer.Reset(next)
		} else {
			timer.Stop()
		}
	}
}

// dial makes one session.
func (p *Pool) dial(id string) {
	ctx, cancel := context.WithTimeout(p.ctx, dialTime)
	defer cancel()
	s, err := p.establish(ctx, id)

	p.mu.Lock()
	p.forgetDial(id)
	switch {
	case err == nil && p.closing:
		p.tasks.Go(s.close)
	case err == nil:
		p.failure, p.retry, p.retryAt = nil, 0, time.Time{}
		p.sessions = append(p.sessions, s)
		p.tasks.Go(func() { p.watch(s) })
	default:
		p.failed(time.Now(), err)
	}
	p.notify()
	p.mu.Unlock()
	p.wake()
}

func (p *Pool) establish(ctx context.Context, id string) (*clientSession, error) {
	t, err := p.c.Dialer.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("tunnel: no connection to the server: %w", err)
	}
	hello := Hello{
		Version: Version, Instance: p.instance, AddressID: t.InitialID(), Survive: p.c.Survive, Software: p.c.Software,
	}
	conn, welcome, err := clientHandshake(ctx, t, p.tls, hello)
	if err != nil {
		return nil, err
	}
	p.c.OnWelcome(welcome)
	return startSession(conn, t, welcome, p.c, id, p.wake)
}

func (p *Pool) forgetDial(id string) {
	for i := range p.dials {
		if p.dials[i] == id {
			p.dials = append(p.dials[:i:i], p.dials[i+1:]...)
			return
		}
	}
}

// failed notes why a dial failed and when the next may begin. Under mu.
func (p *Pool) failed(now time.Time, err error) {
	if p.ctx.Err() != nil {
		return
	}
	if p.failure == nil || p.failure.Error() != err.Error() {
		p.c.Log.Warn().Err(err).Msg("session not established")
	}
	p.failure = err
	switch {
	case p.c.off.backoff:
		p.retry = 10 * time.Millisecond
	case permanent(err):
		p.retry = min(max(2*p.retry, firstRejected), rejectedRetry)
	case p.retry == 0:
		p.retry = firstRetry
	default:
		p.retry = min(2*p.retry, lastRetry)
	}
	p.retryAt = now.Add(spread(p.retry))
}

// spread varies a wait by 20 % either way, so that many clients do not come back together.
func spread(d time.Duration) time.Duration {
	var b [1]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return d*4/5 + d*2/5*time.Duration(b[0])/255
}

// permanent tells that a failure will not go away by itself soon.
func permanent(err error) bool {
	var rejected *RejectedError
	var key *ServerKeyError
	return errors.As(err, &key) || errors.As(err, &rejected) && rejected.Permanent()
}

// watch waits for the end of a session and takes it out.
func (p *Pool) watch(s *clientSession) {
	p.c.Log.Info().Str("session", s.id).Msg("session established")
	<-s.mux.Done()
	_ = s.mux.Close() // waits until the session's goroutines have ended
	lived := time.Since(s.began)
	p.mu.Lock()
	defer p.wake()
	defer p.mu.Unlock()
	for i := range p.sessions {
		if p.sessions[i] == s {
			p.sessions = append(p.sessions[:i:i], p.sessions[i+1:]...)
			break
		}
	}
	if s.draining == "" && !p.closing {
		err := fmt.Errorf("tunnel: session lost: %w", s.why())
		p.failure = err
		if lived < lastRetry { // a server that ends every session at once is not to be pestered
			p.failed(time.Now(), err)
		}
		p.c.Log.Warn().Str("session", s.id).Err(err).Msg("session ended")
	}
	p.notify()
}

// newID is under mu.
func (p *Pool) newID() string {
	p.lastID++
	return strconv.Itoa(p.lastID)
}
