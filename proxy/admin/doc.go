// Package admin is what people and monitoring see of a running program: the status API, Prometheus metrics, a health
// check and the dashboard, on one HTTP listener.
//
// It knows nothing of sessions and carriers but the values of Status: whoever runs them implements Source, and each
// request takes one snapshot. Nothing is kept here between requests and there are no package-level metrics, so that a
// demo or a test may run a client and a server, each with its own, in one process.
//
// Everything is read-only, hence the defence is about reading. A page on the web that makes its own name point to
// 127.0.0.1 (DNS rebinding) is stopped by the Host header, which it cannot choose: only address literals, localhost and
// the names in admin_hosts are answered. No CORS header is ever sent, so no other origin reads a response. Outside
// loopback a token is demanded, as a bearer token for programs and as the password of HTTP basic authentication for
// browsers. docs/status-api.md is the reference for users.
package admin
