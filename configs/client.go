package configs

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"
)

// Client is the client's configuration, client.yaml. Values that the rules let pass need no further checks.
type Client struct {
	Listen     []string       `yaml:"listen"` // address:port for SOCKS5, SOCKS4a and HTTP; port 0: any free one
	Users      []User         `yaml:"users"`
	AllowFrom  []netip.Prefix `yaml:"allow_from"` // sources that need no password
	Server     Remote         `yaml:"server"`
	Identity   string         `yaml:"identity"` // path of the key file; loading makes it absolute or relative to the working directory
	Uplinks    []Uplink       `yaml:"uplinks"`  // empty: every interface with a default route
	Carrier    string         `yaml:"carrier"`
	Scheduler  string         `yaml:"scheduler"`
	Congestion string         `yaml:"congestion"`
	Sessions   Sessions       `yaml:"sessions"`
	Memory     Size           `yaml:"memory"` // see MemoryLimit
	Admin      string         `yaml:"admin"`  // address:port, empty: off
	AdminHosts []string       `yaml:"admin_hosts"`
	AdminToken Secret         `yaml:"admin_token"`
	Log        Log            `yaml:"log"`

	File     string     `yaml:"-"` // the file that was read; empty: none
	Warnings []string   `yaml:"-"` // for the log, one line each
	key      PrivateKey // from an invite; none: Identity names a file
}

// User may use the local proxy from sources that allow_from does not list.
type User struct {
	Name     string `yaml:"name"`     // 1–255 bytes (RFC 1929 §2), no colon (RFC 7617 §2)
	Password Secret `yaml:"password"` // 1–255 bytes
}

// Remote is the server as the client knows it.
type Remote struct {
	Addresses []string  `yaml:"addresses"`  // names or addresses, all of one server
	RawPort   uint16    `yaml:"raw_port"`   // 0: the server does not offer this carrier
	PlainPort uint16    `yaml:"plain_port"` // likewise
	PublicKey PublicKey `yaml:"public_key"`
}

// Uplink is one local way out, by interface or by source address, never both. A plain text in its place is the
// interface or the source address, and the name as well.
type Uplink struct {
	Name      string     `yaml:"name"`      // defaults to the interface or the source
	Interface string     `yaml:"interface"` // device
	Source    netip.Addr `yaml:"source"`    // binds the owning device and follows it
	Backup    bool       `yaml:"backup"`    // used only when no regular uplink works
	Carrier   string     `yaml:"carrier"`   // empty: as the client's
}

// UnmarshalText implements encoding.TextUnmarshaler: the short form.
func (u *Uplink) UnmarshalText(text []byte) error {
	*u = Uplink{Interface: string(text)}
	if a, err := netip.ParseAddr(u.Interface); err == nil {
		*u = Uplink{Source: a}
	}
	return nil
}

// Sessions says how many sessions the pool keeps and for how long they outlive their last subflow.
type Sessions struct {
	Min     int           `yaml:"min"`
	Max     int           `yaml:"max"`
	Survive time.Duration `yaml:"survive"` // whole seconds on the wire
}

// DefaultClient gives the defaults; server.addresses, server.public_key and a key are still missing.
func DefaultClient() Client {
	return Client{
		Listen:     []string{"127.0.0.1:1080"},
		Server:     Remote{RawPort: 7443, PlainPort: 7444},
		Identity:   "client.key",
		Carrier:    "auto",
		Scheduler:  "auto",
		Congestion: "bbr",
		Sessions:   Sessions{Min: 2, Max: 16, Survive: time.Minute},
		Admin:      "127.0.0.1:9090",
		Log:        Log{Level: "info", Format: "console"},
	}
}

// Key gives the client's private key: from the invite that the configuration came from, else from the file that
// Identity names.
func (c *Client) Key() (PrivateKey, error) {
	if !c.key.IsZero() {
		return c.key, nil
	}
	return ReadKeyFile(c.Identity)
}

// MemoryLimit gives the limit of all buffers in bytes: Memory, or what AutoMemory says.
func (c *Client) MemoryLimit() Size {
	if c.Memory > 0 {
		return c.Memory
	}
	return AutoMemory(clientMemoryCap)
}

// AdminListener gathers the keys of the admin listener.
func (c *Client) AdminListener() Admin {
	return Admin{Address: c.Admin, Hosts: c.AdminHosts, Token: c.AdminToken}
}

// check applies every rule and fills in what follows from other keys.
func (c *Client) check(d *document) {
	c.checkProxy(d)
	c.checkServer(d)
	if c.Identity == "" {
		d.blame("identity", "is empty: name the key file")
	}
	c.checkUplinks(d)
	test(d, "carrier", c.Carrier, checkCarrier)
	d.checkShared(c.Scheduler, c.Congestion, c.Log)
	d.between("sessions.min", c.Sessions.Min, 1, 64)
	d.between("sessions.max", c.Sessions.Max, 1, 64)
	if c.Sessions.Min > c.Sessions.Max {
		d.blame("sessions.min", "%d is not allowed: it must not exceed sessions.max, %d", c.Sessions.Min, c.Sessions.Max)
	}
	d.lasts("sessions.survive", c.Sessions.Survive, time.Second, 24*time.Hour)
	c.AdminListener().check(d)
}

// checkProxy applies the rules of listen, users and allow_from.
func (c *Client) checkProxy(d *document) {
	if len(c.Listen) == 0 {
		d.blame("listen", "is empty: use at least one address:port, such as 127.0.0.1:1080")
	}
	for i, address := range c.Listen {
		key := fmt.Sprintf("listen[%d]", i)
		if test(d, key, address, checkListen) && !isLoopback(address) && len(c.Users)+len(c.AllowFrom) == 0 {
			d.blame(key, "%q is reachable from outside: set users or allow_from, or use 127.0.0.1", address)
		}
	}
	unique(d, "listen", "the address", c.Listen, fixedPort)
	for i, u := range c.Users {
		key := fmt.Sprintf("users[%d]", i)
		test(d, key+".name", u.Name, checkUser)
		if n := len(u.Password.Reveal()); n == 0 || n > 255 {
			d.blame(key+".password", "is not allowed: use 1 to 255 bytes")
		}
	}
	unique(d, "users", "the name", c.Users, func(u User) string { return u.Name })
}

// fixedPort gives an address to compare, "" for one whose port is any free one.
func fixedPort(address string) string {
	if portOf(address) == "0" {
		return ""
	}
	return address
}

// checkUser holds the rule for names of users of the local proxy.
func checkUser(name string) error {
	for _, r := range name {
		if r == ':' || r < ' ' || r == 0x7f {
			name = ""
		}
	}
	if name == "" || len(name) > 255 {
		return errors.New("use 1 to 255 bytes without colons and control characters")
	}
	return nil
}

// checkServer applies the rules of the object "server".
func (c *Client) checkServer(d *document) {
	if len(c.Server.Addresses) == 0 {
		d.blame("server.addresses", "is missing: name the server, or use an invite")
	}
	d.hosts("server.addresses", c.Server.Addresses)
	if c.Server.PublicKey.IsZero() {
		d.blame("server.public_key", "is missing: it stands in the invite; hawser-client join writes it")
	}
	checkPorts(d, "server", c.Server.RawPort, c.Server.PlainPort)
}

// checkPorts wants two ports that differ, at least one of them not 0.
func checkPorts(d *document, key string, raw, plain uint16) {
	switch {
	case raw == 0 && plain == 0:
		d.blame(key+".plain_port", "0 is not allowed together with raw_port 0: one carrier is needed")
	case raw == plain:
		d.blame(key+".plain_port", "%d is not allowed: raw_port has the same port", plain)
	}
}

// checkUplinks applies the rules of the list "uplinks" and names those without a name.
func (c *Client) checkUplinks(d *document) {
	for i := range c.Uplinks {
		u := &c.Uplinks[i]
		key := fmt.Sprintf("uplinks[%d]", i)
		switch {
		case u.Interface != "" && u.Source.IsValid():
			d.blame(key, "has both interface %q and source %q: keep one", u.Interface, u.Source)
		case u.Interface != "":
			test(d, key+".interface", u.Interface, checkLabel)
		case u.Source.IsValid():
			test(d, key+".source", u.Source, checkSource)
		default:
			d.blame(key, "has neither interface nor source: set one")
		}
		u.setName()
		test(d, key+".name", u.Name, checkLabel)
		if u.Carrier != "" {
			test(d, key+".carrier", u.Carrier, checkCarrier)
		}
	}
	unique(d, "uplinks", "the name", c.Uplinks, func(u Uplink) string { return u.Name })
	if len(c.Uplinks) > 64 {
		d.blame("uplinks", "%d uplinks are not allowed: use at most 64", len(c.Uplinks))
	}
}

// setName gives an uplink without a name the name of what it uses.
func (u *Uplink) setName() {
	switch {
	case u.Name != "":
	case u.Interface != "":
		u.Name = u.Interface
	case u.Source.IsValid():
		u.Name = u.Source.String()
	}
}

// checkSource holds the rule for source addresses.
func checkSource(a netip.Addr) error {
	if a.IsUnspecified() || a.IsMulticast() || a.Is4In6() || a.Zone() != "" {
		return errors.New("use an address that an interface of this machine has")
	}
	return nil
}

// checkCarrier holds the rule for carriers.
func checkCarrier(name string) error {
	switch name {
	case "auto", "plain":
		return nil
	case "raw":
		return errors.New("the raw carrier is not built yet: use auto or plain")
	}
	return errors.New("use auto or plain")
}

// settle makes paths usable from here: they are relative to the file.
func (c *Client) settle(p Place) {
	base := p.Dir
	if c.File != "" {
		base = filepath.Dir(c.File)
	}
	if c.Identity != "" && !filepath.IsAbs(c.Identity) {
		c.Identity = filepath.Join(base, c.Identity)
	}
}
