package program

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
)

// Site is the files of one server and of its clients, each in a directory of its own below Dir.
type Site struct {
	Dir string
	tb  testing.TB
}

// NewSite sets up a server that clients reach by the addresses given, in a directory of the test.
func NewSite(tb testing.TB, addresses ...string) *Site {
	tb.Helper()
	s := &Site{Dir: tb.TempDir(), tb: tb}
	args := []string{"init", "--dir", filepath.Join(s.Dir, "server")}
	for _, a := range addresses {
		args = append(args, "--address", a)
	}
	must(tb, Server, Options{Args: args})
	return s
}

// File is the configuration file of the server ("server") or of a client that has joined.
func (s *Site) File(name string) string {
	if name == "server" {
		return filepath.Join(s.Dir, name, "server.yaml")
	}
	return filepath.Join(s.Dir, name, "client.yaml")
}

// Invite adds a client to the server's list and gives its invite.
func (s *Site) Invite(name string) string {
	s.tb.Helper()
	return strings.TrimSpace(must(s.tb, Server, Options{Args: []string{"-c", s.File("server"), "invite", name}}))
}

// Join invites a client and writes its files.
func (s *Site) Join(name string) {
	s.tb.Helper()
	must(s.tb, Client, Options{
		Args: []string{"join", "--dir", filepath.Join(s.Dir, name), "-"}, Stdin: s.Invite(name),
	})
}

// Revoke takes a client off the list.
func (s *Site) Revoke(name string) {
	s.tb.Helper()
	must(s.tb, Server, Options{Args: []string{"-c", s.File("server"), "clients", "revoke", name}})
}

// StartServer runs the server: free ports of loopback (a port of Options.Env goes before), targets in 127.0.0.0/8
// allowed, log in JSON.
func (s *Site) StartServer(o Options) *Process {
	s.tb.Helper()
	return Start(s.tb, Server, o.with([]string{"-c", s.File("server"), "run"}, []string{
		"HAWSER_LISTEN_PLAIN=127.0.0.1:0", "HAWSER_ADMIN=127.0.0.1:0", "HAWSER_EGRESS_ALLOW=127.0.0.0/8",
		"HAWSER_LOG_FORMAT=json",
	}))
}

// StartClient runs a client, which joins first if it has not: free ports of loopback, one uplink, 127.0.0.1, to the
// server's port, log in JSON. Options.Env goes before.
func (s *Site) StartClient(name string, server netip.AddrPort, o Options) *Process {
	s.tb.Helper()
	if !exists(s.File(name)) {
		s.Join(name)
	}
	return Start(s.tb, Client, o.with([]string{"-c", s.File(name), "run"}, []string{
		fmt.Sprintf("HAWSER_SERVER_PLAIN_PORT=%d", server.Port()), "HAWSER_LISTEN=127.0.0.1:0",
		"HAWSER_ADMIN=127.0.0.1:0", "HAWSER_UPLINKS=127.0.0.1", "HAWSER_LOG_FORMAT=json",
	}))
}
