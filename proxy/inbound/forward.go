package inbound

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"time"

	"hawser/proxy/relay"
)

// newForward makes the handler of requests in absolute-form. What a client sends goes on as it is, less the hop-by-hop
// headers (RFC 9110 §7.6.1) and Proxy-Authorization, which ReverseProxy removes.
func newForward(logger *log.Logger) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			// ReverseProxy takes these for a stranger's; here they are what the application wants to say.
			for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
				if v, ok := p.In.Header[h]; ok {
					p.Out.Header[h] = v
				}
			}
			p.Out.URL.RawQuery = p.In.URL.RawQuery // as written, not as Go would write it
			p.Out.Trailer = p.In.Trailer           // the same map: it is filled when the body has ended
		},
		Transport:     forwarder{},
		FlushInterval: -1, // pass on what comes when it comes
		BufferPool:    relay.Pool{},
		ErrorLog:      logger,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			refuse(w, r, r.URL.Host, err)
		},
	}
}

// forwardFor forwards one request. When the response breaks off in the middle, so does the client's connection, by
// reset: a response without a length would look whole otherwise.
func (p *httpProxy) forwardFor(c *client, w http.ResponseWriter, r *http.Request) {
	if c.forward.Load() == nil {
		c.forward.Store(p.server.newTransport())
	}
	// A target may answer before it has the whole request; net/http would hold the answer back.
	_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/1 always can
	done := false
	defer func() {
		if !done {
			c.abort() // ReverseProxy panics with http.ErrAbortHandler; net/http handles it
		}
	}()
	p.forward.ServeHTTP(oneContinue{w}, r)
	done = true
}

// oneContinue drops the "100 Continue" that ReverseProxy passes on: net/http's server sends one by itself when the
// Transport, having been told to go on, begins to read the body.
type oneContinue struct{ http.ResponseWriter }

func (w oneContinue) WriteHeader(code int) {
	if code != http.StatusContinue {
		w.ResponseWriter.WriteHeader(code)
	}
}

// Unwrap gives http.ResponseController what it controls.
func (w oneContinue) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// forwarder sends a request by the Transport of its client.
type forwarder struct{}

var errClientGone = errors.New("inbound: the client has gone")

func (forwarder) RoundTrip(r *http.Request) (*http.Response, error) {
	t := clientOf(r.Context()).forward.Load()
	if t == nil {
		return nil, errClientGone
	}
	return t.RoundTrip(r)
}

// newTransport makes the Transport of one client.
func (s *Server) newTransport() *http.Transport {
	return &http.Transport{
		DialContext:            s.dialOrigin,
		DisableCompression:     true, // the application's own Accept-Encoding counts
		MaxIdleConns:           8,
		MaxIdleConnsPerHost:    1, // requests of one client connection follow one another
		IdleConnTimeout:        30 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 4 * maxHeader,
	}
}

func (s *Server) dialOrigin(ctx context.Context, _, addr string) (net.Conn, error) {
	target, err := parseTarget(addr, 80)
	if err != nil {
		return nil, err
	}
	stream, err := s.options.Opener.Open(ctx, target)
	if err != nil {
		return nil, err
	}
	s.options.Meter.Begin()
	return &origin{Stream: stream, meter: s.options.Meter}, nil
}
