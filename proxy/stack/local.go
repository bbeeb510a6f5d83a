package stack

import (
	"context"
	"net/netip"

	"hawser/configs"
	"hawser/transport"
	"hawser/transport/uplink"
)

// loopback is where everything of a Local is.
const loopback = "127.0.0.1"

// Local is a server and clients of it in one process, on 127.0.0.1 alone and without any file: for the demo. Its
// streams may go to 127.0.0.1.
type Local struct {
	*Server
	invite configs.Invite
}

// NewLocal makes the server on a free port, with new keys. Its logs and its version are as in o.
func NewLocal(o ServerOptions) (*Local, error) {
	o.Key = configs.NewPrivateKey()
	client := configs.NewPrivateKey()
	cfg := configs.DefaultServer()
	cfg.Listen = configs.Listen{Plain: loopback + ":0"}
	cfg.Clients = []configs.Peer{{Name: "local", PublicKey: client.Public()}}
	cfg.Egress.Allow = []netip.Prefix{netip.MustParsePrefix(loopback + "/32")}
	cfg.Admin = ""
	s, err := NewServer(&cfg, o)
	if err != nil {
		return nil, err
	}
	invite := configs.Invite{
		Name: "local", Key: client, Server: o.Key.Public(), Addresses: []string{loopback}, PlainPort: s.Addr().Port(),
	}
	return &Local{Server: s, invite: invite}, nil
}

// Way is an uplink that is nothing but an address behind which the server is.
type Way struct {
	Name string
	To   netip.AddrPort
}

// NewClient makes a client of the server with these uplinks. listen and admin are address and port; admin may be
// empty: off.
func (l *Local) NewClient(listen, admin string, o ClientOptions, ways ...Way) (*Client, error) {
	// An empty place: neither environment nor files have a say.
	cfg, err := configs.ClientFromInvite(configs.Place{}, configs.Options{}, l.invite)
	if err != nil {
		return nil, err
	}
	cfg.Listen, cfg.Admin, cfg.Carrier = []string{listen}, admin, "plain"
	o.Ways = fixedWays(ways)
	return NewClient(cfg, o)
}

// fixedWays are uplinks that never change.
type fixedWays []Way

// Uplinks implements Ways.
func (w fixedWays) Uplinks() []uplink.Uplink {
	list := make([]uplink.Uplink, 0, len(w))
	for i, way := range w {
		list = append(list, uplink.Uplink{
			Name: way.Name, ID: uint8(i + 1), V4: []netip.Addr{netip.MustParseAddr(loopback)}, Carrier: "plain", State: uplink.StateUp,
		})
	}
	return list
}

// Paths implements mptcp.PathSource.
func (w fixedWays) Paths() []transport.Path {
	list := make([]transport.Path, 0, len(w))
	for i, way := range w {
		list = append(list, transport.Path{Uplink: way.Name, ID: uint8(i + 1), Remote: way.To, Carrier: "plain"})
	}
	return list
}

// Watch implements mptcp.PathSource: there is nothing to watch.
func (fixedWays) Watch(func()) (stop func()) { return func() {} }

// Report implements mptcp.PathSource: there is nothing to choose.
func (fixedWays) Report(transport.Path, error) {}

// Run implements Ways.
func (fixedWays) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}
