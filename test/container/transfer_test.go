//go:build linux

package container

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// transfer is a download through the proxy.
type transfer struct {
	got  atomic.Int64 // bytes so far
	rate atomic.Int64 // bytes/s at which it reads; 0: as they come
	done chan struct{}
	sum  string // SHA-256 in hex, after done
	err  error  // after done
}

// through makes an HTTP client that uses the proxy and keeps no connection.
func through(proxy string) *http.Client {
	u := &url.URL{Scheme: "socks5h", Host: proxy}
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(u), DisableKeepAlives: true}}
}

// startTransfer begins to read target at a rate.
func startTransfer(t *testing.T, proxy, target string, rate int64) *transfer {
	t.Helper()
	tr := &transfer{done: make(chan struct{})}
	tr.rate.Store(rate)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	go func() {
		defer close(tr.done)
		tr.sum, tr.err = tr.read(ctx, proxy, target)
	}()
	t.Cleanup(func() {
		cancel()
		<-tr.done
	})
	return tr
}

func (tr *transfer) read(ctx context.Context, proxy, target string) (sum string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return "", err
	}
	resp, err := through(proxy).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", errors.New(resp.Status)
	}
	hash := sha256.New()
	buf := make([]byte, 256<<10)
	for {
		n, err := resp.Body.Read(buf)
		hash.Write(buf[:n])
		tr.got.Add(int64(n))
		if err == io.EOF {
			return hex.EncodeToString(hash.Sum(nil)), nil
		}
		if err != nil {
			return "", fmt.Errorf("after %d bytes: %w", tr.got.Load(), err)
		}
		if rate := tr.rate.Load(); rate > 0 {
			time.Sleep(time.Duration(int64(n) * int64(time.Second) / rate))
		}
	}
}

// running is an error when the transfer has ended.
func (tr *transfer) running() error {
	select {
	case <-tr.done:
		return fmt.Errorf("the transfer ended after %d bytes: %w", tr.got.Load(), tr.err)
	default:
		return nil
	}
}

// fetch reads a small answer through the proxy.
func fetch(ctx context.Context, proxy, target string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return "", err
	}
	resp, err := through(proxy).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return strings.TrimSpace(string(b)), err
}
