package admin

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Paths of the pages.
const (
	PathStatus  = "/api/v1/status"
	PathHealth  = "/healthz"
	PathMetrics = "/metrics"
)

// NewHandler makes the admin pages. It fails when the configuration does (Config.Check).
func NewHandler(c Config, src Source) (http.Handler, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	guard := newGuard(c)
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", guard.token(newDashboard()))
	mux.Handle("GET "+PathStatus, guard.token(statusPage(src)))
	mux.Handle("GET "+PathMetrics, guard.token(metricsPage(c, src)))
	mux.Handle("GET "+PathHealth, healthPage(src, guard))
	return harden(guard.host(mux)), nil
}

// harden sets the headers that every answer has, errors included.
func harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// statusPage answers with the snapshot as one line of JSON.
func statusPage(src Source) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		body, err := json.Marshal(src.Status())
		if err != nil {
			http.Error(w, "admin: encode the status: "+err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(body, '\n')) // the client has gone: nobody is left to tell
	})
}

// healthPage answers 200 or 503. Orchestrators ask without a token, so the reason is told only to those who have it.
func healthPage(src Source, guard guard) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ok, reason := src.Healthy()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		text := "ok"
		if !ok {
			text = "unhealthy"
			w.WriteHeader(http.StatusServiceUnavailable)
			if guard.allows(r) {
				text += ": " + reason
			}
		}
		_, _ = io.WriteString(w, text+"\n") // the client has gone: nobody is left to tell
	})
}

// metricsPage answers with our metrics and those of the Go runtime and the process. One broken metric does not hide
// the others.
func metricsPage(c Config, src Source) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		NewCollector(src),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.ContinueOnError,
		ErrorLog:            &c.Log,
		MaxRequestsInFlight: 8,
		Timeout:             10 * time.Second,
	})
}
