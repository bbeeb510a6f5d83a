package admin

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// Limits that keep a stranger on the admin port from holding anything for long.
const (
	headerTimeout  = 5 * time.Second
	requestTimeout = 15 * time.Second // read and write of one request
	idleTimeout    = time.Minute
	maxHeader      = 16 << 10 // bytes
	maxConns       = 256
)

// Server serves the admin pages on a listener of its own.
type Server struct {
	http *http.Server
	ln   net.Listener
}

// Listen opens the port, so that a busy one is reported at the start, and prepares to serve what src shows. It
// fails when the configuration does (Config.Check).
func Listen(c Config, src Source) (*Server, error) {
	handler, err := NewHandler(c, src)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", c.Address)
	if err != nil {
		return nil, fmt.Errorf("admin: cannot listen on %s: set another address or port for the key admin, or \"\" to do without: %w", c.Address, err)
	}
	return &Server{
		ln: netutil.LimitListener(ln, maxConns),
		http: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: headerTimeout,
			ReadTimeout:       requestTimeout,
			WriteTimeout:      requestTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeader,
			ErrorLog:          log.New(c.Log, "", 0),
		},
	}, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.ln.Addr() }

// Serve answers requests until Shutdown or Close, after which it returns nil.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin: serve on %s: %w", s.Addr(), err)
	}
	return nil
}

// Shutdown stops listening and waits for the requests that are being answered, at most until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("admin: shut down: %w", err), s.Close())
	}
	return s.closeListener()
}

// Close stops everything at once.
func (s *Server) Close() error { return errors.Join(s.http.Close(), s.closeListener()) }

// closeListener frees the port also when Serve was never called, for only then does the HTTP server not know of it.
func (s *Server) closeListener() error {
	if err := s.ln.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
