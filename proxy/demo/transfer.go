package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// direction is the way that a file goes.
type direction string

const (
	down direction = "down" // from the target to the client
	up   direction = "up"
)

// user is an application that reaches the target through a proxy by SOCKS5.
type user struct {
	web    http.Client
	target *target
}

func newUser(proxy net.Addr, t *target) *user {
	u := &url.URL{Scheme: "socks5", Host: proxy.String()}
	return &user{target: t, web: http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(u), DisableKeepAlives: true}}}
}

// transfer moves a file of n bytes and says what its receiver found.
func (u *user) transfer(ctx context.Context, d direction, n int64) (receipt, error) {
	if d == up {
		return u.put(ctx, n)
	}
	return u.get(ctx, n, &arrivals{warm: u.target.warm})
}

// get downloads a file; a sees it arrive.
func (u *user) get(ctx context.Context, n int64, a *arrivals) (receipt, error) {
	answer, err := u.do(ctx, http.MethodGet, n, nil)
	if err != nil {
		return receipt{}, err
	}
	defer answer.Body.Close()
	return receive(a, answer.Body)
}

func (u *user) put(ctx context.Context, n int64) (r receipt, err error) {
	answer, err := u.do(ctx, http.MethodPut, n, newFile(n))
	if err != nil {
		return receipt{}, err
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<16)).Decode(&r); err != nil {
		return receipt{}, fmt.Errorf("the file server's receipt: %w", err)
	}
	return r, nil
}

func (u *user) do(ctx context.Context, method string, n int64, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, u.target.url(n), body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.ContentLength = n
	}
	answer, err := u.web.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		defer answer.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 300))
		return nil, errors.New("the file server answers " + answer.Status + ": " + strings.TrimSpace(string(text)))
	}
	return answer, nil
}
