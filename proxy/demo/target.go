package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	maxFile     = 1 << 30 // bytes
	defaultFile = 100_000_000
	bufferSize  = 32 << 10
	headerTime  = 10 * time.Second
)

// target is the file server that streams go to: GET /file?bytes=N gives the file of that length, PUT /file takes one
// and answers with its receipt.
type target struct {
	http http.Server
	ln   net.Listener
	warm time.Duration // of uploads, before they are measured
}

// receipt is what the receiver of a file found.
type receipt struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hexadecimal
	Rate   int64  `json:"bps"`    // goodput after warm-up, bit/s
}

// newTarget opens a free port.
func newTarget(warm time.Duration) (*target, error) {
	ln, err := net.Listen("tcp4", loopback+":0")
	if err != nil {
		return nil, fmt.Errorf("file server: %w", err)
	}
	t := &target{ln: ln, warm: warm}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /file", give)
	mux.HandleFunc("PUT /file", t.take)
	t.http.Handler, t.http.ReadHeaderTimeout = mux, headerTime
	return t, nil
}

// url names the file of n bytes; 0: of the server's choice.
func (t *target) url(n int64) string {
	u := "http://" + t.ln.Addr().String() + "/file"
	if n > 0 {
		u += "?bytes=" + strconv.FormatInt(n, 10)
	}
	return u
}

// run serves until ctx ends.
func (t *target) run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = t.http.Close() })()
	if err := t.http.Serve(t.ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("file server: %w", err)
	}
	return nil
}

// give sends a file.
func give(w http.ResponseWriter, r *http.Request) {
	n := int64(defaultFile)
	if text := r.URL.Query().Get("bytes"); text != "" {
		var err error
		if n, err = strconv.ParseInt(text, 10, 64); err != nil || n < 0 || n > maxFile {
			http.Error(w, fmt.Sprintf("bytes must be a number from 0 to %d", maxFile), http.StatusBadRequest)
			return
		}
	}
	w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = io.CopyBuffer(onlyWriter{w}, newFile(n), make([]byte, bufferSize)) // who has left needs no answer
}

// onlyWriter hides what else a writer can do, so that io.CopyBuffer uses its buffer.
type onlyWriter struct{ io.Writer }

// take receives a file.
func (t *target) take(w http.ResponseWriter, r *http.Request) {
	a := &arrivals{warm: t.warm}
	got, err := receive(a, http.MaxBytesReader(w, r.Body, maxFile))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(got) // who has left needs no answer
}

// receive reads to the end, and judges.
func receive(a *arrivals, r io.Reader) (receipt, error) {
	h := sha256.New()
	buffer := make([]byte, bufferSize)
	for {
		n, err := r.Read(buffer)
		if n > 0 {
			a.add(time.Now(), n)
			h.Write(buffer[:n])
		}
		if err == nil {
			continue
		}
		if err == io.EOF {
			err = nil
		}
		bytes, _ := a.total()
		return receipt{Bytes: bytes, SHA256: hex.EncodeToString(h.Sum(nil)), Rate: a.rate()}, err
	}
}
