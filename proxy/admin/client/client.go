package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"hawser/proxy/admin"
)

// HealthTimeout is how long a health check may take.
const HealthTimeout = 2 * time.Second

// statusTimeout bounds one status request, maxAnswer its answer: a status of 10,000 sessions has a few megabytes.
const (
	statusTimeout = 5 * time.Second
	maxAnswer     = 64 << 20
)

// Client asks one program.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// New makes a client for the admin address in a program's configuration (host:port) and its admin_token. It fails when
// address cannot be asked: empty means that the admin port is off.
func New(address, token string) (*Client, error) {
	if address == "" {
		return nil, errors.New("the admin port is off: set the key admin, for example to 127.0.0.1:9090, and restart the program")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("admin: %q is no address and port, write it like 127.0.0.1:9090: %w", address, err)
	}
	return &Client{
		base:  "http://" + net.JoinHostPort(reachable(host), port),
		token: token,
		// No proxy from the environment: it may well be this very program.
		http: &http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}},
	}, nil
}

// reachable turns an address that is listened on into one that can be dialled: a listener on every address answers on
// loopback.
func reachable(host string) string {
	if host == "" {
		return "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil || !ip.IsUnspecified():
		return host
	case ip.Is4():
		return "127.0.0.1"
	}
	return "::1"
}

// Status fetches the status, and the bytes it came in.
func (c *Client) Status(ctx context.Context) (admin.Status, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	code, body, err := c.get(ctx, admin.PathStatus)
	if err != nil {
		return admin.Status{}, nil, err
	}
	if code != http.StatusOK {
		return admin.Status{}, nil, c.refused(code, body)
	}
	var s admin.Status
	if err := json.Unmarshal(body, &s); err != nil {
		return admin.Status{}, nil, fmt.Errorf("%s does not answer as a hawser program: %w", c.base, err)
	}
	return s, body, nil
}

// Health asks whether the program does its work, within HealthTimeout. The error says why it does not, or why it
// cannot be asked (ErrUnhealthy tells the two apart).
func (c *Client) Health(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, HealthTimeout)
	defer cancel()
	code, body, err := c.get(ctx, admin.PathHealth)
	switch {
	case err != nil:
		return err
	case code == http.StatusOK:
		return nil
	case code == http.StatusServiceUnavailable:
		return fmt.Errorf("%w: %s", ErrUnhealthy, strings.TrimPrefix(text(body), "unhealthy: "))
	}
	return c.refused(code, body)
}

// ErrUnhealthy is the cause when a program answers that it does not do its work.
var ErrUnhealthy = errors.New("unhealthy")

// get makes one request. The Host header is one that every program accepts, whatever name its address has.
func (c *Client) get(ctx context.Context, path string) (code int, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("admin: %w", err)
	}
	r.Host = "localhost"
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("%s is not reachable, is the program running? %w", c.base, err)
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return 0, nil, fmt.Errorf("%s broke off its answer: %w", c.base, err)
	}
	return answer.StatusCode, body, nil
}

func (c *Client) refused(code int, body []byte) error {
	return fmt.Errorf("%s answers %d %s: %s", c.base, code, http.StatusText(code), text(body))
}

// text makes an answer fit for one line of a terminal.
func text(body []byte) string {
	const enough = 300
	if len(body) > enough {
		body = body[:enough]
	}
	return printable(strings.TrimSpace(string(body)))
}
