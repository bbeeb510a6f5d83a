package admin

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the dashboard is one file of the program
	"encoding/base64"
	"net/http"
)

//go:embed dashboard.html
var dashboardHTML []byte

// newDashboard serves the page, which is one file and asks nobody but this server for data. Its content security
// policy allows exactly its own script and style by their hashes, so that nothing that might slip into the page runs.
func newDashboard() http.Handler {
	policy := "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; " +
		"script-src " + inlineHash(dashboardHTML, "script") + "; style-src " + inlineHash(dashboardHTML, "style")
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(dashboardHTML) // the client has gone: nobody is left to tell
	})
}

// inlineHash is the source expression for the one element of the name given (CSP Level 3, hash-source).
func inlineHash(page []byte, element string) string {
	_, rest, ok := bytes.Cut(page, []byte("<"+element+">"))
	text, _, closed := bytes.Cut(rest, []byte("</"+element+">"))
	if !ok || !closed {
		panic("BUG: admin: the dashboard has no " + element)
	}
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
