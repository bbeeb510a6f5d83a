package inbound

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/rs/zerolog"
)

// maxHeader bounds the header of an HTTP request in bytes.
const maxHeader = 64 << 10

// clientKey is the context key under which a request finds its client.
type clientKey struct{}

func clientOf(ctx context.Context) *client { return ctx.Value(clientKey{}).(*client) }

// newHTTP makes the HTTP server that the handover feeds.
func (s *Server) newHTTP() *http.Server {
	logger := log.New(debugLog{s.options.Log}, "", 0)
	return &http.Server{
		Handler:           &httpProxy{server: s, forward: newForward(logger)},
		ReadHeaderTimeout: s.options.HandshakeTimeout,
		IdleTimeout:       s.options.IdleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          logger,
		BaseContext:       func(net.Listener) context.Context { return s.ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, clientKey{}, c)
		},
		DisableGeneralOptionsHandler: true, // "OPTIONS *" is not for us
	}
}

// debugLog turns what net/http says about its clients into debug lines.
type debugLog struct{ log zerolog.Logger }

func (d debugLog) Write(b []byte) (int, error) {
	d.log.Debug().Msg(string(bytes.TrimSpace(b)))
	return len(b), nil
}

// httpProxy is the handler of every HTTP request.
type httpProxy struct {
	server  *Server
	forward http.Handler
}

func (p *httpProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := clientOf(r.Context())
	connect := r.Method == http.MethodConnect
	if !connect && !r.URL.IsAbs() {
		respond(w, r, http.StatusBadRequest, "this is a proxy: the request must name an absolute http:// address")
		return
	}
	if c.verdict == password && !p.authorized(r) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="hawser", charset="UTF-8"`) // RFC 7617 §2
		respond(w, r, http.StatusProxyAuthRequired, "the proxy needs a user name and a password")
		return
	}
	p.server.gate.trust(c)
	switch {
	case connect:
		p.connect(c, w, r)
	case r.URL.Scheme != "http":
		respond(w, r, http.StatusBadRequest, fmt.Sprintf("the proxy forwards http:// only, not %q; use CONNECT", r.URL.Scheme))
	default:
		p.forwardFor(c, w, r)
	}
}

// authorized checks Proxy-Authorization (RFC 9110 §11.7.2), which has the form of Authorization.
func (p *httpProxy) authorized(r *http.Request) bool {
	as := http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	name, password, ok := as.BasicAuth()
	return ok && p.server.access.Valid(name, password)
}

// connect makes the connection a tunnel (RFC 9110 §9.3.6).
func (p *httpProxy) connect(c *client, w http.ResponseWriter, r *http.Request) {
	target, err := parseTarget(r.RequestURI, 0)
	if err != nil {
		respond(w, r, http.StatusBadRequest, err.Error())
		return
	}
	stream, err := p.server.options.Opener.Open(r.Context(), target)
	if err != nil {
		refuse(w, r, target.String(), err)
		return
	}
	conn, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		stream.Reset()
		panic(http.ErrAbortHandler) // the connection has failed
	}
	early := buffered(buf.Reader)
	// A goroutine of its own: this one holds net/http's buffers until the handler returns.
	if !p.server.spawn(func() { p.server.establish(c, stream, early) }) {
		stream.Reset()
		_ = conn.Close()
	}
}

// establish tells the client that its tunnel is there, and relays.
func (s *Server) establish(c *client, stream Stream, early []byte) {
	_ = c.SetDeadline(time.Now().Add(s.options.HandshakeTimeout))
	if _, err := c.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		stream.Reset()
		c.abort()
		return
	}
	s.relay(c, stream, early)
}

// refuse answers a request whose target cannot be reached. A client that has gone gets no answer.
func refuse(w http.ResponseWriter, r *http.Request, target string, err error) {
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler)
	}
	refused := refusalOf(err)
	respond(w, r, refused.status(), fmt.Sprintf("cannot reach %s: %s", target, refused.text))
}

// respond answers with a status and a line for a person. What is left of the request's body gets a moment only, so
// that it cannot hold the connection.
func respond(w http.ResponseWriter, r *http.Request, status int, text string) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(goodbye))
		w.Header().Set("Connection", "close")
	}
	http.Error(w, "hawser: "+text, status)
}
