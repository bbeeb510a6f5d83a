package configs

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"time"
)

// Server is the server's configuration, server.yaml. Values that the rules let pass need no further checks.
type Server struct {
	Listen     Listen   `yaml:"listen"`
	Public     Public   `yaml:"public"`
	Identity   string   `yaml:"identity"` // path of the key file; loading makes it absolute or relative to the working directory
	Clients    []Peer   `yaml:"clients"`
	Egress     Egress   `yaml:"egress"`
	Scheduler  string   `yaml:"scheduler"`
	Congestion string   `yaml:"congestion"`
	Memory     Size     `yaml:"memory"` // see MemoryLimit
	Admin      string   `yaml:"admin"`  // address:port, empty: off
	AdminHosts []string `yaml:"admin_hosts"`
	AdminToken Secret   `yaml:"admin_token"`
	Log        Log      `yaml:"log"`

	File        string   `yaml:"-"` // the file that was read
	Warnings    []string `yaml:"-"` // for the log, one line each
	clientsFrom string   // where the list of clients stands
}

// Listen says where the carriers listen: address:port, empty: that carrier is off; port 0: any free one.
type Listen struct {
	Raw   string `yaml:"raw"`
	Plain string `yaml:"plain"`
}

// Public is what invites say of the server.
type Public struct {
	Addresses []string `yaml:"addresses"`
	RawPort   uint16   `yaml:"raw_port"`
	PlainPort uint16   `yaml:"plain_port"`
}

// Peer is a client that the server lets in.
type Peer struct {
	Name      string    `yaml:"name"`
	PublicKey PublicKey `yaml:"public_key"`
}

// Egress says where streams may go.
type Egress struct {
	Allow          []netip.Prefix `yaml:"allow"` // overrides everything that is denied
	Deny           []netip.Prefix `yaml:"deny"`  // adds to what is always denied
	ConnectTimeout time.Duration  `yaml:"connect_timeout"`
}

// DefaultServer gives the defaults; public.addresses and a key are still missing.
func DefaultServer() Server {
	return Server{
		Listen:     Listen{Raw: ":7443", Plain: ":7444"},
		Public:     Public{RawPort: 7443, PlainPort: 7444},
		Identity:   "server.key",
		Egress:     Egress{ConnectTimeout: 10 * time.Second},
		Scheduler:  "auto",
		Congestion: "bbr",
		Admin:      "127.0.0.1:9091",
		Log:        Log{Level: "info", Format: "console"},
	}
}

// Key reads the server's private key from the file that Identity names.
func (s *Server) Key() (PrivateKey, error) { return ReadKeyFile(s.Identity) }

// MemoryLimit gives the limit of all buffers in bytes: Memory, or what AutoMemory says.
func (s *Server) MemoryLimit() Size {
	if s.Memory > 0 {
		return s.Memory
	}
	return AutoMemory(serverMemoryCap)
}

// AdminListener gathers the keys of the admin listener.
func (s *Server) AdminListener() Admin {
	return Admin{Address: s.Admin, Hosts: s.AdminHosts, Token: s.AdminToken}
}

// check applies every rule.
func (s *Server) check(d *document) {
	s.checkListen(d)
	d.hosts("public.addresses", s.Public.Addresses)
	if len(s.Public.Addresses) > maxInviteHosts {
		d.blame("public.addresses", "%d addresses are not allowed: use at most %d", len(s.Public.Addresses), maxInviteHosts)
	}
	checkPorts(d, "public", s.Public.RawPort, s.Public.PlainPort)
	if s.Identity == "" {
		d.blame("identity", "is empty: name the key file")
	}
	s.checkClients(d)
	d.lasts("egress.connect_timeout", s.Egress.ConnectTimeout, 100*time.Millisecond, 5*time.Minute)
	d.checkShared(s.Scheduler, s.Congestion, s.Log)
	s.AdminListener().check(d)
}

// checkListen applies the rules of the object "listen".
func (s *Server) checkListen(d *document) {
	raw, plain := s.Listen.Raw, s.Listen.Plain
	if plain == "" {
		d.blame("listen.plain", "is empty, and the raw carrier is not available in this version: set it, such as \":7444\"")
		return
	}
	good := raw == "" || test(d, "listen.raw", raw, checkListen)
	good = test(d, "listen.plain", plain, checkListen) && good
	if good && raw != "" && portOf(raw) == portOf(plain) && portOf(raw) != "0" {
		d.blame("listen.plain", "%q is not allowed: listen.raw has the same port", plain)
	}
}

// checkClients applies the rules of the list "clients".
func (s *Server) checkClients(d *document) {
	for i, c := range s.Clients {
		key := fmt.Sprintf("clients[%d]", i)
		test(d, key+".name", c.Name, checkName)
		if c.PublicKey.IsZero() {
			d.blame(key+".public_key", "is missing: hawser-server invite writes it")
		}
	}
	unique(d, "clients", "the name", s.Clients, func(c Peer) string { return c.Name })
	unique(d, "clients", "the public key", s.Clients, func(c Peer) string { return c.PublicKey.String() })
}

// settle makes paths usable from here: they are relative to the file.
func (s *Server) settle() {
	if s.Identity != "" && !filepath.IsAbs(s.Identity) {
		s.Identity = filepath.Join(filepath.Dir(s.File), s.Identity)
	}
}
