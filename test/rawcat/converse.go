package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"hawser/transport/packet"
	"hawser/transport/rawtcp"
)

// figures is the line of --stats. What has not come to be is zero.
type figures struct {
	In          int64   `json:"bytes_in"`
	Out         int64   `json:"bytes_out"`
	Seconds     float64 `json:"seconds"`     // from the handshake to the end of the second direction
	Retransmits int64   `json:"retransmits"` // segments
	Recoveries  int64   `json:"recoveries"`  // episodes of loss
	Undone      int64   `json:"undone"`      // … that turned out to be none
	Timeouts    int64   `json:"timeouts"`
	Probes      int64   `json:"probes"`   // of the tail
	Window      int     `json:"window"`   // of the congestion control at the end, bytes
	Stalls      int64   `json:"stalls"`   // times that the local queue was full
	Overruns    uint64  `json:"overruns"` // packets that the kernel had no room for
	RTT         float64 `json:"rtt_ms"`   // smoothed
	Path        string  `json:"path"`     // gso, frames or rawip; empty: nothing was opened
}

// report gathers the figures while a command runs.
type report struct {
	figures
	in, out atomic.Int64
}

// path notes what the packet path knows.
func (r *report) path(s *packet.Socket) {
	st := s.Status()
	r.Overruns, r.Path = st.Received.Overruns, way(st).String()
}

// connection notes what a connection knows.
func (r *report) connection(c rawtcp.Stats) {
	r.Retransmits, r.Recoveries, r.Undone = c.Stats.Retransmissions, c.Stats.Recoveries, c.Stats.Undone
	r.Timeouts, r.Probes, r.Stalls = c.Stats.Timeouts, c.Stats.Probes, c.Stalls
	r.Window, r.RTT = c.Window, float64(c.SRTT)/float64(time.Millisecond)
}

// print writes the line.
func (r *report) print(to io.Writer) error {
	r.In, r.Out = r.in.Load(), r.out.Load()
	return json.NewEncoder(to).Encode(r.figures)
}

// converse moves bytes both ways until both are closed, and the connection with them.
func (o *options) converse(ctx context.Context, s *stack, c *rawtcp.Conn, r *report) error {
	stop := context.AfterFunc(ctx, c.Abort)
	defer stop()
	began := time.Now()
	ended := make(chan error, 2)
	go func() { ended <- o.receive(c, &r.in) }()
	go func() { ended <- o.transmit(c, &r.out) }()
	var err error
	for range 2 {
		if err = <-ended; err != nil {
			c.Abort() // the other direction may wait for standard input for ever
			break
		}
	}
	r.Seconds = time.Since(began).Seconds()
	<-c.Done()
	st := c.Stats()
	s.echo = 2 * st.SRTT // smoothed: a queue may have grown since
	r.connection(st)
	if err == nil {
		err = c.Err()
	}
	if err != nil && ctx.Err() != nil {
		return errors.New("stopped by a signal: the connection was reset")
	}
	return err
}

// receive moves what arrives to standard output.
func (o *options) receive(c *rawtcp.Conn, n *atomic.Int64) error {
	var to io.Writer = os.Stdout
	if o.discard {
		to = io.Discard
	}
	_, err := c.WriteTo(&counter{w: to, n: n})
	return err
}

// transmit moves standard input, or zeros, to the peer and closes the direction.
func (o *options) transmit(c *rawtcp.Conn, n *atomic.Int64) error {
	var from io.Reader = os.Stdin
	if o.zeros > 0 {
		from = io.LimitReader(zeros{}, o.zeros)
	}
	if _, err := c.ReadFrom(&counter{r: from, n: n}); err != nil {
		return err
	}
	return c.CloseWrite()
}

// counter counts what passes.
type counter struct {
	r io.Reader
	w io.Writer
	n *atomic.Int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n.Add(int64(n))
	return n, err
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n.Add(int64(n))
	return n, err
}

// zeros is an endless stream of them.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// way is how the interface that has carried most is used.
func way(s packet.Status) packet.Mode {
	var most packet.InterfaceStatus
	for _, st := range s.Interfaces {
		if most.Index == 0 || st.SentBytes+st.SentControl > most.SentBytes+most.SentControl {
			most = st
		}
	}
	return most.Mode
}
