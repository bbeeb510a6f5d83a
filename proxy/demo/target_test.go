package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestFileServerGivesAndTakesTheFileWithTheKnownHash(t *testing.T) {
	target, err := newTarget(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	server := start(target.run)
	defer func() {
		if err := server.stop(); err != nil {
			t.Error(err)
		}
	}()
	const n = 1_000_003
	file, err := io.ReadAll(newFile(n))
	if sum := sha256.Sum256(file); err != nil || len(file) != n || hex.EncodeToString(sum[:]) != hashOf(n) {
		t.Fatalf("a file of %d bytes, %v", len(file), err)
	}
	if body := ask(t, http.MethodGet, target.url(n), "", http.StatusOK); body != string(file) {
		t.Errorf("another file of %d bytes", len(body))
	}
	var r receipt
	if err := json.Unmarshal([]byte(ask(t, http.MethodPut, target.url(0), string(file), http.StatusOK)), &r); err != nil {
		t.Fatal(err)
	}
	if want := (receipt{Bytes: n, SHA256: hashOf(n)}); r != want {
		t.Errorf("receipt %+v, want %+v without a rate, as it never was warm", r, want)
	}
	for _, wrong := range []string{"-1", "x", "1073741825"} {
		ask(t, http.MethodGet, target.url(0)+"?bytes="+wrong, "", http.StatusBadRequest)
	}
	ask(t, http.MethodGet, strings.TrimSuffix(target.url(0), "/file"), "", http.StatusNotFound)
}

func ask(t *testing.T, method, url, body string, status int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status {
		t.Errorf("%s %s: %s, %v, want status %d", method, url, answer.Status, err, status)
	}
	return string(text)
}
