package admin

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// get asks a handler made of c and src, as a browser on this machine would.
func get(t *testing.T, c Config, src Source, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	if c.Address == "" {
		c.Address = "127.0.0.1:9090"
	}
	h, err := NewHandler(c, src)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = "127.0.0.1:9090"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestStatusIsWhatTheDocumentSays(t *testing.T) {
	for name, status := range map[string]Status{"full": sample(), "empty": {Version: "1.2.3", Role: RoleServer}} {
		t.Run(name, func(t *testing.T) {
			r := get(t, Config{}, fixed{status: status}, PathStatus, nil)
			if r.Code != http.StatusOK || r.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%d, content type %q", r.Code, r.Header().Get("Content-Type"))
			}
			var got bytes.Buffer
			if err := json.Indent(&got, r.Body.Bytes(), "", "  "); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "status-"+name+".json")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("the status has changed; fields may only be added (-update writes it anew):\n%s", got.String())
			}
		})
	}
}

func TestStatusThatCannotBeEncodedIsAnError(t *testing.T) {
	s := sample()
	s.Uplinks[0].Loss = math.NaN()
	r := get(t, Config{}, fixed{status: s}, PathStatus, nil)
	if text := r.Body.String(); r.Code != http.StatusInternalServerError || !strings.Contains(text, "NaN") {
		t.Errorf("%d: %s", r.Code, text)
	}
}

func TestHealth(t *testing.T) {
	bearer := func(r *http.Request) { r.Header.Set("Authorization", "Bearer secret") }
	for _, c := range []struct {
		name, token, sick string
		change            func(*http.Request)
		code              int
		text              string
	}{
		{"healthy", "", "", nil, 200, "ok\n"},
		{"sick", "", "no uplink works", nil, 503, "unhealthy: no uplink works\n"},
		{"a stranger learns no reason", "secret", "no uplink works", nil, 503, "unhealthy\n"},
		{"the token's owner does", "secret", "no uplink works", bearer, 503, "unhealthy: no uplink works\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := get(t, Config{Token: c.token}, fixed{sick: c.sick}, PathHealth, c.change)
			if text := r.Body.String(); r.Code != c.code || text != c.text {
				t.Errorf("%d %q, want %d %q", r.Code, text, c.code, c.text)
			}
		})
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	for _, path := range []string{"/", PathStatus, PathHealth, PathMetrics} {
		r := get(t, Config{}, fixed{}, path, func(r *http.Request) { r.Method = http.MethodPost })
		if r.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", path, r.Code)
		}
	}
	if r := get(t, Config{}, fixed{}, "/other", nil); r.Code != http.StatusNotFound {
		t.Errorf("GET /other: %d", r.Code)
	}
}

func TestEveryAnswerForbidsWhatItDoesNotNeed(t *testing.T) {
	for _, path := range []string{"/", PathStatus, PathHealth, PathMetrics, "/other"} {
		h := get(t, Config{}, fixed{}, path, nil).Header()
		for key, want := range map[string]string{
			"X-Content-Type-Options":       "nosniff",
			"Cache-Control":                "no-store",
			"Referrer-Policy":              "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := h.Get(key); got != want {
				t.Errorf("%s: %s is %q, want %q", path, key, got, want)
			}
		}
		if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: content security policy is %q", path, csp)
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: may be read by other origins", path)
		}
	}
}
