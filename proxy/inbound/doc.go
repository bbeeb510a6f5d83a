// Package inbound is the local proxy: SOCKS5, SOCKS4, SOCKS4a, HTTP CONNECT and plain HTTP forwarding on one port. It
// turns what an application asks for into an Open of the tunnel, and tells it the result in its own protocol.
//
// The first byte of a connection decides: 5 and 4 are the SOCKS versions, a letter begins an HTTP method, anything
// else is closed.
//
// SOCKS5. Requests and the password exchange are read by armon/go-socks5 (NewRequest and its authenticators). Its
// ServeConn is not used: it picks reply codes by the text of errors, asserts the type of addresses, and copies with
// two 32 kB buffers for each stream. The address type is looked at before NewRequest, whose error for an unknown one
// cannot be told from others. Names are never resolved here; they travel to the server. UDP ASSOCIATE and BIND are
// answered "command not supported".
//
// HTTP. net/http's server parses requests, and httputil.ReverseProxy with net/http's Transport forwards them: that
// machinery knows keep-alive, hop-by-hop headers, trailers, 1xx responses and upgrades, and has been hardened against
// request smuggling; none of it would be better written here. Each client connection has a Transport of its own, so
// that a connection to a target on which one client has authenticated itself (NTLM, Negotiate) never serves another,
// and so that it ends with its client. An application that half-closes after an HTTP request is taken to have gone, as
// everywhere in net/http; inside CONNECT and SOCKS half-close passes through. A connection that was hijacked for
// CONNECT leaves net/http's goroutine and its buffers behind.
//
// Strangers. A source that has to show a password is a stranger until it has; strangers are bounded in number,
// together and for each source, and everyone is bounded in the time that a request may take to arrive.
package inbound
