package stack

import (
	"context"
	"errors"

	"hawser/mptcp"
	"hawser/proxy/egress"
	"hawser/proxy/inbound"
	"hawser/proxy/tunnel"
	"hawser/proxy/tunnel/mux"
)

// dialer gives the tunnel what mptcp dials.
type dialer struct{ d *mptcp.Dialer }

func (d dialer) Dial(ctx context.Context) (tunnel.Transport, error) {
	c, err := d.d.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// listener gives the tunnel what mptcp accepts.
type listener struct{ *mptcp.Listener }

func (l listener) Accept() (tunnel.Transport, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// opener gives the local proxy the streams of the pool.
type opener struct{ pool *tunnel.Pool }

func (o opener) Open(ctx context.Context, t inbound.Target) (inbound.Stream, error) {
	st, err := o.pool.OpenStream(ctx, tunnel.Target{Name: t.Name, Addr: t.Addr, Port: t.Port})
	if err != nil {
		return nil, openError{err}
	}
	return st, nil
}

// openError tells the local proxy whether any uplink works.
type openError struct{ error }

func (e openError) Unwrap() error { return e.error }

// NoUplink reports that the stream failed for want of an uplink or of a server that lets this client in.
func (e openError) NoUplink() bool {
	var reply *tunnel.ReplyError
	full := errors.Is(e.error, tunnel.ErrFull) || errors.Is(e.error, mux.ErrMemory)
	return errors.Is(e.error, tunnel.ErrNoUplink) || !full && !errors.As(e.error, &reply)
}

// handler serves a client's streams by egress.
func handler(s *egress.Server) tunnel.Handler {
	return func(ctx context.Context, r tunnel.Request, st *tunnel.Incoming) {
		request := egress.Request{
			Command: byte(r.Command),
			Target:  egress.Target{Name: r.Target.Name, Addr: r.Target.Addr, Port: r.Target.Port},
		}
		answer := func(a egress.Answer) error {
			return st.Answer(tunnel.Reply{Code: a.Code, Bound: a.Bound, Text: a.Text})
		}
		_ = s.Serve(ctx, st.Stream, request, answer) // the client was told, and the server logs what it logs
	}
}
