package plain

import (
	"context"
	"fmt"

	"hawser/transport"
)

// Carrier opens subflows over kernel TCP, or over whatever its Dialer connects.
type Carrier struct{ dialer Dialer }

var _ transport.Carrier = (*Carrier)(nil)

// NewCarrier makes a carrier on the operating system's TCP with the congestion control named; empty, or one that the
// system does not offer to this user: the system's default (State.Congestion tells).
func NewCarrier(congestion string) *Carrier { return NewCarrierOn(tcpDialer{congestion}) }

// NewCarrierOn makes a carrier on another source of sockets.
func NewCarrierOn(d Dialer) *Carrier { return &Carrier{d} }

// Name is "plain".
func (c *Carrier) Name() string { return "plain" }

// Encrypts reports that the payload of sealed records is ciphertext.
func (c *Carrier) Encrypts() bool { return encrypts }

// Open begins a subflow over p: one try of at most 2 s, which Abort cancels.
func (c *Carrier) Open(p transport.Path, post transport.Post) transport.Subflow {
	s := newSubflow(p.String(), post)
	ctx, cancel := context.WithTimeout(context.Background(), dialTime)
	s.cancel = cancel
	go dial(ctx, c.dialer, p, post)
	return s
}

// dial is the dialling goroutine.
func dial(ctx context.Context, d Dialer, p transport.Path, post transport.Post) {
	sock, err := d.Dial(ctx, p)
	if err != nil {
		err = fmt.Errorf("connect: %w", err)
	}
	post(&dialled{sock: sock, err: err})
}
