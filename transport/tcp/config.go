package tcp

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"hawser/cc"
	"hawser/transport/wire"
)

// Errors that end a connection (EventClosed) or that Receive returns.
var (
	ErrReset       = errors.New("tcp: the peer has reset the connection")
	ErrRefused     = errors.New("tcp: the peer refuses the connection: nothing listens on that port")
	ErrTimeout     = errors.New("tcp: the peer does not answer any more")
	ErrUnreachable = errors.New("tcp: the network says that the peer cannot be reached")
	ErrAborted     = errors.New("tcp: the connection was aborted on this side")
	ErrReuse       = errors.New("tcp: a new connection takes the place of one in TIME-WAIT: give the segment to the listener")
	ErrClosed      = errors.New("tcp: no more can be sent: this side is closed")
	errTooBig      = errors.New("tcp: the path takes smaller packets only")
	errUnsound     = errors.New("tcp: segment dropped")
)

// Defaults of Config.
const (
	defaultMTU         = 1500
	defaultMSL         = 30 * time.Second
	defaultMinRTO      = 200 * time.Millisecond
	defaultDelay       = 40 * time.Millisecond
	defaultSYNTimeout  = 180 * time.Second // RFC 9293 §3.8.3, MUST-23: at least 3 minutes for a SYN
	defaultUserTimeout = 300 * time.Second // RFC 9293 §3.8.3: "R2 … SHOULD be at least 100 seconds"; §3.9.1: 5 minutes
	defaultFinWait2    = 60 * time.Second
	defaultKeepGap     = 10 * time.Second
	defaultKeepCount   = 5
	defaultReceive     = 256 << 10
	defaultMaxReceive  = 16 << 20
)

// Config is what a connection needs to know. Zero values are good defaults unless a field says otherwise.
type Config struct {
	Local, Remote netip.AddrPort // of one family; set by the Listener for its connections
	MTU           int            // of the interface, bytes with the IP header; 0: 1500
	Secret        [32]byte       // random, one for the whole host and life of the program (RFC 6528)
	Clock         time.Time      // any time of now, likewise one for all: see steady; zero: a connection's or Listener's first

	// Control makes the congestion control once the segment size is known; required.
	Control func(cc.Config) cc.Controller
	// Extension adds options of kind 30; nil: none.
	Extension Extension

	ReceiveBuffer    int    // bytes of window at first; 0: 256 kB
	MaxReceiveBuffer int    // bytes to which the window may grow; 0: 16 MB
	Budget           Budget // what 5/4 of the window is taken from; nil: no limit but MaxReceiveBuffer

	MSL         time.Duration // maximum segment lifetime: TIME-WAIT takes two, or three RTOs if that is longer; 0: 30 s
	MinRTO      time.Duration // 0: 200 ms
	AckDelay    time.Duration // of a delayed acknowledgement, at most 500 ms (RFC 9293 §3.8.6.3); 0: 40 ms
	SYNTimeout  time.Duration // a handshake's life; 0: 3 min
	UserTimeout time.Duration // life without any acknowledgement of what was sent (RFC 9293 §3.8.3); 0: 5 min
	FinWait2    time.Duration // wait for the peer's FIN after CloseRead; 0: 60 s
	KeepAlive   time.Duration // silence after which the peer is probed; 0: never (RFC 9293 §3.8.4: off by default)
	KeepGap     time.Duration // between probes; 0: 10 s
	KeepCount   int           // unanswered probes that end the connection; 0: 5

	ECN           bool // ask for explicit congestion notification (RFC 3168); it is always granted when asked for
	NoTimestamps  bool // do without RFC 7323 timestamps
	NoSACK        bool // do without RFC 2018
	NoWindowScale bool // do without RFC 7323 window scaling
}

// A Budget is memory shared by connections.
type Budget interface {
	Reserve(n int) bool // takes n bytes; false: they are not there
	Release(n int)
}

// An Extension is MPTCP above this machine. It is called by Emit and by the handshake, never at another time.
type Extension interface {
	// Options appends options of kind 30 to dst, at most room bytes, for the segment s, whose flags, numbers and Len are
	// set. m is the mapping of its payload, as AppendMapped declared it; nil when it has none. The mapping covers the
	// whole declared run, of which s may carry a part: on each transmission and retransmission it is the same.
	Options(dst []byte, s *wire.Segment, m *wire.Mapping, room int) []byte
	// Room is how many bytes of options data segments keep free for it, a multiple of 4.
	Room() int
}

// withDefaults checks c and fills in what is 0.
func (c Config) withDefaults() (Config, error) {
	if c.Control == nil {
		return c, errors.New("tcp: Config.Control is missing: name a congestion control")
	}
	if !c.Local.IsValid() || !c.Remote.IsValid() || c.Local.Addr().Is4() != c.Remote.Addr().Is4() {
		return c, fmt.Errorf("tcp: %v and %v are no pair of addresses of one family", c.Local, c.Remote)
	}
	if c.MTU == 0 {
		c.MTU = defaultMTU
	}
	if c.MTU < minMTU {
		return c, fmt.Errorf("tcp: an MTU of %d is below %d: nothing sends so little", c.MTU, minMTU)
	}
	c.MTU = min(c.MTU, 1<<16-1)
	orInt(&c.ReceiveBuffer, defaultReceive)
	orInt(&c.MaxReceiveBuffer, defaultMaxReceive)
	c.MaxReceiveBuffer = min(max(c.MaxReceiveBuffer, c.ReceiveBuffer), maxWindow)
	orInt(&c.KeepCount, defaultKeepCount)
	orTime(&c.MSL, defaultMSL)
	orTime(&c.MinRTO, defaultMinRTO)
	orTime(&c.AckDelay, defaultDelay)
	orTime(&c.SYNTimeout, defaultSYNTimeout)
	orTime(&c.UserTimeout, defaultUserTimeout)
	orTime(&c.FinWait2, defaultFinWait2)
	orTime(&c.KeepGap, defaultKeepGap)
	return c, nil
}

func orInt(v *int, d int) {
	if *v <= 0 {
		*v = d
	}
}

func orTime(v *time.Duration, d time.Duration) {
	if *v <= 0 {
		*v = d
	}
}
