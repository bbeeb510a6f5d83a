package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"sync/atomic"
	"time"

	"hawser/transport/packet"
	"hawser/transport/rawtcp"
)

// pieceSize is how much is read and written at once, in bytes.
const pieceSize = 256 << 10

// figures is the line of --stats.
type figures struct {
	In          int64   `json:"bytes_in"`
	Out         int64   `json:"bytes_out"`
	Seconds     float64 `json:"seconds"` // from the handshake to the end of the second direction
	Retransmits int64   `json:"retransmits"`
	RTT         float64 `json:"rtt_ms"` // smoothed
	Path        string  `json:"path"`   // gso, frames or raw-ip
}

// converse moves bytes both ways until both are closed, and the connection with them.
func (o *options) converse(ctx context.Context, s *stack, c *rawtcp.Conn) error {
	stop := context.AfterFunc(ctx, c.Abort)
	defer stop()
	var in, out atomic.Int64
	began := time.Now()
	ended := make(chan error, 2)
	go func() { ended <- o.receive(c, &in) }()
	go func() { ended <- transmit(c, &out) }()
	var err error
	for range 2 {
		if err = <-ended; err != nil {
			c.Abort() // the other direction may wait for standard input for ever
			break
		}
	}
	seconds := time.Since(began).Seconds()
	<-c.Done()
	if err == nil {
		err = c.Err()
	}
	if o.stats {
		st := c.Stats()
		f := figures{
			In: in.Load(), Out: out.Load(), Seconds: seconds, Retransmits: st.Stats.Retransmissions,
			RTT: float64(st.SRTT) / float64(time.Millisecond), Path: way(s.socket).String(),
		}
		if e := json.NewEncoder(os.Stderr).Encode(f); e != nil && err == nil {
			err = e
		}
	}
	return err
}

// receive moves what arrives to standard output.
func (o *options) receive(c *rawtcp.Conn, n *atomic.Int64) error {
	var to io.Writer = os.Stdout
	if o.discard {
		to = io.Discard
	}
	return move(to, c, n)
}

// transmit moves standard input to the peer and closes the direction.
func transmit(c *rawtcp.Conn, n *atomic.Int64) error {
	if err := move(c, os.Stdin, n); err != nil {
		return err
	}
	return c.CloseWrite()
}

// move copies until the end of from, and counts.
func move(to io.Writer, from io.Reader, n *atomic.Int64) error {
	b := make([]byte, pieceSize)
	for {
		k, err := from.Read(b)
		if k > 0 {
			if _, err := to.Write(b[:k]); err != nil {
				return err
			}
			n.Add(int64(k))
		}
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

// way is how the interface that has carried most is used.
func way(s *packet.Socket) packet.Mode {
	var most packet.InterfaceStatus
	for i, st := range s.Status().Interfaces {
		if i == 0 || st.SentBytes+st.SentControl > most.SentBytes+most.SentControl {
			most = st
		}
	}
	return most.Mode
}
