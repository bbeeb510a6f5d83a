package configs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// AddClient makes a new client, adds it to the list in the server's file and gives its invite, which nothing keeps.
// A name that exists is an error.
func AddClient(p Place, o Options, name string) (Invite, error) {
	if err := checkName(name); err != nil {
		return Invite{}, fault("", "client name %q is not allowed: %s", name, err)
	}
	s, err := LoadServer(p, o)
	if err != nil {
		return Invite{}, err
	}
	invite, err := s.invite(name)
	if err != nil {
		return Invite{}, err
	}
	peer := Peer{Name: name, PublicKey: invite.Key.Public()}
	return invite, s.edit(p, o, func(now *Server, text []byte) ([]byte, error) {
		if slices.ContainsFunc(now.Clients, func(c Peer) bool { return c.Name == name }) {
			return nil, fmt.Errorf("a client named %q exists: choose another name, or revoke it first", name)
		}
		return addPeer(text, now.Clients, peer)
	})
}

// RevokeClient takes a client off the list in the server's file.
func RevokeClient(p Place, o Options, name string) error {
	s, err := LoadServer(p, o)
	if err != nil {
		return err
	}
	return s.edit(p, o, func(now *Server, text []byte) ([]byte, error) {
		at := slices.IndexFunc(now.Clients, func(c Peer) bool { return c.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("no client is named %q: %s", name, listNames(now.Clients))
		}
		return removePeer(text, now.Clients, at)
	})
}

// ClientNames lists the names of the clients, for completion; none when the configuration cannot be read.
func ClientNames(p Place, o Options) []string {
	s, err := LoadServer(p, o)
	if err != nil {
		return nil
	}
	names := make([]string, len(s.Clients))
	for i, c := range s.Clients {
		names[i] = c.Name
	}
	return names
}

// listNames says which clients there are.
func listNames(clients []Peer) string {
	if len(clients) == 0 {
		return "there are none"
	}
	names := make([]string, len(clients))
	for i, c := range clients {
		names[i] = c.Name
	}
	return "there are " + strings.Join(names, ", ")
}

// invite makes a client's key and gathers what it must know.
func (s *Server) invite(name string) (Invite, error) {
	key, err := s.Key()
	if err != nil {
		return Invite{}, err
	}
	if len(s.Public.Addresses) == 0 {
		return Invite{}, &Error{Problems: []Problem{{Where: s.File, Key: "public.addresses",
			Text: "is empty: set the names or addresses by which clients reach this server"}}}
	}
	v := Invite{Name: name, Key: NewPrivateKey(), Server: key.Public(), Addresses: s.Public.Addresses}
	if s.Listen.Raw != "" {
		v.RawPort = s.Public.RawPort
	}
	if s.Listen.Plain != "" {
		v.PlainPort = s.Public.PlainPort
	}
	if v.RawPort == 0 && v.PlainPort == 0 {
		return Invite{}, fault(s.File, "the carrier that listens has no public port: set public.raw_port or public.plain_port")
	}
	return v, nil
}

// edit changes the server's file under its lock: change gets the file as it is then, and gives its new text.
func (s *Server) edit(p Place, o Options, change func(now *Server, text []byte) ([]byte, error)) (err error) {
	if s.clientsFrom == variableOf("clients") {
		return fault(s.clientsFrom, "the list of clients comes from this variable: it would hide the change in %s; unset it", s.File)
	}
	target, err := newTarget(s.File)
	if err != nil {
		return err
	}
	unlock, err := target.lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	text, err := readFile(target.path)
	if err != nil {
		return err
	}
	now, err := loadServer(p, o, s.File, text)
	if err != nil {
		return err
	}
	changed, err := change(now, text)
	if err != nil {
		return err
	}
	return target.replace(changed)
}
