//go:build linux

package main

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// What the first byte on a connection asks the sink for.
const (
	askDownload byte = iota + 1 // send for as long as the connection lives
	askUpload                   // 8 bytes follow, the number of a counter: receive, and count there
	askEcho                     // send back what comes
	askBytes                    // 8 bytes follow: send that many, then end the direction
)

// sink is the target of all measurements. It is in this process, so that what an upload has delivered is known at once.
type sink struct {
	net.Listener
	more []net.Listener

	mu       sync.Mutex
	conns    map[net.Conn]struct{}
	counters map[uint64]*atomic.Int64 // of uploads
}

// serveSink serves what the listeners accept until Close.
func serveSink(ln net.Listener, more ...net.Listener) *sink {
	s := &sink{Listener: ln, more: more, conns: make(map[net.Conn]struct{}), counters: make(map[uint64]*atomic.Int64)}
	go s.serve(ln)
	for _, ln := range more {
		go s.serve(ln)
	}
	return s
}

func (s *sink) serve(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = struct{}{}
		s.mu.Unlock()
		go func() {
			s.serveOne(c)
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		}()
	}
}

// Close ends every connection as well: when its namespace is removed no end arrives any more.
func (s *sink) Close() error {
	err := s.Listener.Close()
	for _, ln := range s.more {
		_ = ln.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
	return err
}

// counter makes a counter for an upload.
func (s *sink) counter() (number uint64, counter *atomic.Int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number, counter = uint64(len(s.counters)), new(atomic.Int64)
	s.counters[number] = counter
	return number, counter
}

func (s *sink) serveOne(c net.Conn) {
	defer c.Close()
	var ask [1]byte
	if _, err := io.ReadFull(c, ask[:]); err != nil {
		return
	}
	var n [8]byte
	if ask[0] == askUpload || ask[0] == askBytes {
		if _, err := io.ReadFull(c, n[:]); err != nil {
			return
		}
	}
	number := binary.BigEndian.Uint64(n[:])
	switch ask[0] {
	case askDownload:
		_ = pump(c)
	case askUpload:
		s.mu.Lock()
		counter := s.counters[number]
		s.mu.Unlock()
		if counter != nil {
			drain(c, counter)
		}
	case askEcho:
		echo(c)
	case askBytes:
		_, _ = io.CopyN(c, zeros{}, int64(number))
	}
}

// echo sends back what comes. io.Copy would splice, and hold a pipe for each idle connection.
func echo(c net.Conn) {
	var b [512]byte
	for {
		n, err := c.Read(b[:])
		if err != nil {
			return
		}
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}

// zeros is an endless source.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// pump writes until the connection ends.
func pump(c net.Conn) error {
	buf := make([]byte, 256<<10)
	for {
		if _, err := c.Write(buf); err != nil {
			return err
		}
	}
}

// drain reads until the connection ends.
func drain(c net.Conn, total *atomic.Int64) {
	buf := make([]byte, 256<<10)
	for {
		n, err := c.Read(buf)
		total.Add(int64(n))
		if err != nil {
			return
		}
	}
}
