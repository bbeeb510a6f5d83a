//go:build !linux && !darwin

package plain

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// tcpSocket is a TCP connection by package net: reads after a wait for readability, writes by a copyWriter.
type tcpSocket struct {
	*copyWriter
	conn     *net.TCPConn
	raw      syscall.RawConn
	readable atomic.Bool // WaitReadable has returned since the last read
}

func newTCPSocket(conn *net.TCPConn) (Socket, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	_ = conn.SetNoDelay(true)
	return &tcpSocket{copyWriter: newCopyWriter(conn), conn: conn, raw: raw}, nil
}

// TryRead reads once after each WaitReadable.
func (s *tcpSocket) TryRead(b []byte) (int, error) {
	if !s.readable.Swap(false) {
		return 0, ErrAgain
	}
	n, err := s.conn.Read(b)
	if n > 0 {
		return n, nil
	}
	if err == nil {
		return 0, io.ErrNoProgress
	}
	return 0, err
}

// WaitReadable waits by a read of no bytes, which is what RawConn.Read does between two calls of its function.
func (s *tcpSocket) WaitReadable() error {
	waited := false
	err := s.raw.Read(func(uintptr) bool {
		defer func() { waited = true }()
		return waited
	})
	s.readable.Store(err == nil)
	return err
}

// SetReadTimeout bounds WaitReadable.
func (s *tcpSocket) SetReadTimeout(d time.Duration) error {
	if d == 0 {
		return s.conn.SetReadDeadline(time.Time{})
	}
	return s.conn.SetReadDeadline(time.Now().Add(d))
}

// SetPacing cannot be done.
func (s *tcpSocket) SetPacing(uint64) error {
	return fmt.Errorf("plain: pacing: %w", errors.ErrUnsupported)
}

// Info is not told by the system.
func (s *tcpSocket) Info() Info { return Info{} }

// Congestion is not told by the system.
func (s *tcpSocket) Congestion() string { return "" }

// CloseWrite half-closes after what was taken.
func (s *tcpSocket) CloseWrite() error {
	s.finish(func() { _ = s.conn.CloseWrite() })
	return nil
}

// Close ends the connection after what was taken.
func (s *tcpSocket) Close() error {
	s.finish(func() { _ = s.conn.Close() })
	return nil
}

// Reset ends the connection with a reset.
func (s *tcpSocket) Reset() error {
	s.fail(net.ErrClosed)
	_ = s.conn.SetLinger(0)
	return s.conn.Close()
}

// LocalAddr is this end.
func (s *tcpSocket) LocalAddr() netip.AddrPort { return addrPort(s.conn.LocalAddr()) }

// RemoteAddr is the peer's end.
func (s *tcpSocket) RemoteAddr() netip.AddrPort { return addrPort(s.conn.RemoteAddr()) }

// CongestionInForce is not known: the system does not tell.
func CongestionInForce(string) string { return "" }
