//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// The small request: what an application sends, and what it waits for, bytes.
const (
	requestSize  = 200
	responseSize = 2000
)

// respond answers each request on the connections of ln until it is closed.
func respond(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			var request [requestSize]byte
			var response [responseSize]byte
			for {
				if _, err := io.ReadFull(c, request[:]); err != nil {
					return
				}
				if _, err := c.Write(response[:]); err != nil {
					return
				}
			}
		}()
	}
}

// request makes one small request over an open connection.
func request(c net.Conn) error {
	const patience = 10 * time.Second
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	var b [responseSize]byte
	if _, err := c.Write(b[:requestSize]); err != nil {
		return err
	}
	_, err := io.ReadFull(c, b[:])
	return err
}

// Twenty requests a second, over some connections in turn, so that a slow answer does not keep the next one waiting.
const (
	requestEvery = 50 * time.Millisecond
	requestConns = 8
)

// latencies are how long requests took, in ms: from the time at which each was due.
type latencies struct {
	open  []float64 // over connections that were open
	fresh []float64 // with a new connection for each, its opening included
	err   error     // of the requests that got no answer
	mu    sync.Mutex
}

// probe makes small requests for a time, of each kind twenty a second.
func probe(ctx context.Context, dial dialer, d time.Duration) (*latencies, error) {
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range requestConns {
		c, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		conns = append(conns, c)
		if err := request(c); err != nil { // the first on a connection is not measured
			return nil, fmt.Errorf("first request: %w", err)
		}
	}
	l := &latencies{}
	var wg sync.WaitGroup
	begin := time.Now()
	for i, c := range conns {
		wg.Go(func() {
			for at := time.Duration(i) * requestEvery; at < d && ctx.Err() == nil; at += requestConns * requestEvery {
				due := begin.Add(at)
				pause(ctx, time.Until(due))
				l.note(&l.open, due, request(c))
			}
		})
	}
	for at := requestEvery / 2; at < d && ctx.Err() == nil; at += requestEvery {
		due := begin.Add(at)
		pause(ctx, time.Until(due))
		wg.Go(func() { l.note(&l.fresh, due, requestAlone(ctx, dial)) })
	}
	wg.Wait()
	return l, errors.Join(l.err, ctx.Err())
}

// requestAlone makes a request with a connection of its own.
func requestAlone(ctx context.Context, dial dialer) error {
	c, err := dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return request(c)
}

func (l *latencies) note(list *[]float64, due time.Time, err error) {
	took := time.Since(due)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.err = fmt.Errorf("small request: %w", err)
		return
	}
	*list = append(*list, float64(took.Microseconds())/1e3)
}

// add takes the latencies of another repetition in as well.
func (l *latencies) add(other *latencies) {
	l.open = slices.Concat(l.open, other.open)
	l.fresh = slices.Concat(l.fresh, other.fresh)
}
