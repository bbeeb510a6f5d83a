package stack

import (
	"context"
	"crypto/ed25519"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"hawser/configs"
	"hawser/mptcp"
	"hawser/proxy/admin"
	"hawser/proxy/egress"
	"hawser/proxy/relay"
	"hawser/proxy/tunnel"
	"hawser/transport/plain"
	"hawser/transport/uplink"
)

// maxSurvive is the longest time that a server lets a session outlive its subflows.
const maxSurvive = 10 * time.Minute

// ServerOptions is what a server may be given beside its configuration. The zero value works.
type ServerOptions struct {
	Version string
	Log     zerolog.Logger
	Key     configs.PrivateKey // zero: from the file that the configuration names
}

// Server is a running server.
type Server struct {
	cfg     *configs.Server
	log     zerolog.Logger
	version string
	started time.Time
	board   *uplink.Board
	carrier *plain.Listener
	conns   *mptcp.Listener
	tunnel  *tunnel.Server
	meter   *relay.Meter
	admin   *admin.Server
	clients atomic.Pointer[map[configs.PublicKey]string]
}

// NewServer opens the server's ports. Errors name the key and the port.
func NewServer(cfg *configs.Server, o ServerOptions) (*Server, error) {
	key, err := o.Key, error(nil)
	if key.IsZero() {
		key, err = cfg.Key()
	}
	if err != nil {
		return nil, err
	}
	identity, err := tunnel.NewIdentity(key.Ed25519())
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, log: o.Log, version: o.Version, started: time.Now(), board: uplink.NewBoard(), meter: new(relay.Meter),
	}
	s.SetClients(cfg.Clients)
	budget := mptcp.NewBudget(int64(cfg.MemoryLimit()))
	if err := s.listen(budget); err != nil {
		s.close()
		return nil, err
	}
	out := egress.NewServer(s.newDialer(), s.meter, o.Log)
	s.tunnel, err = tunnel.NewServer(tunnel.ServerConfig{
		Identity: identity, Authorise: s.authorise, Handler: handler(out), Windows: newWindows(budget, s.cfg.MemoryLimit()),
		MaxSurvive: maxSurvive, PlainPort: s.carrier.Addr().Port(), Software: o.Version, Log: o.Log,
	})
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *Server) newDialer() *egress.Dialer {
	var public []netip.Addr
	for _, a := range s.cfg.Public.Addresses {
		if ip, err := netip.ParseAddr(a); err == nil {
			public = append(public, ip)
		}
	}
	policy := egress.NewPolicy(s.cfg.Egress.Allow, s.cfg.Egress.Deny, egress.NewOwn(public, nil))
	return egress.NewDialer(policy, nil, s.cfg.Egress.ConnectTimeout)
}

func (s *Server) listen(budget *mptcp.Budget) error {
	var err error
	s.carrier, err = plain.Listen(plain.Config{Address: s.cfg.Listen.Plain, Congestion: s.cfg.Congestion})
	if err != nil {
		return portError("listen.plain", err)
	}
	addr := net.TCPAddrFromAddrPort(s.carrier.Addr())
	s.conns, err = mptcp.Listen(mptcp.Config{
		Scheduler: s.cfg.Scheduler, Board: s.board, Budget: budget, Survive: maxSurvive, Observe: observe(s.log, true),
	}, s.carrier, addr, "plain")
	if err != nil {
		return err
	}
	s.admin, err = openAdmin(s.cfg.AdminListener(), s, s.log)
	return err
}

func (s *Server) close() {
	if s.conns != nil {
		_ = s.conns.Close()
	} else if s.carrier != nil {
		_ = s.carrier.Close()
	}
	if s.admin != nil {
		_ = s.admin.Close()
	}
}

// SetClients replaces the list of clients; the sessions of those that are not on it any more end at once.
func (s *Server) SetClients(list []configs.Peer) {
	m := make(map[configs.PublicKey]string, len(list))
	for _, p := range list {
		m[p.PublicKey] = p.Name
	}
	s.clients.Store(&m)
	if s.tunnel != nil {
		s.tunnel.Recheck()
	}
}

func (s *Server) authorise(key ed25519.PublicKey) (name string, ok bool) {
	public, ok := configs.PublicKeyOf(key)
	if !ok {
		return "", false
	}
	name, ok = (*s.clients.Load())[public]
	return name, ok
}

// Addr is where the plain carrier listens.
func (s *Server) Addr() netip.AddrPort { return s.carrier.Addr() }

// AdminAddr is where the admin pages are; nil: off.
func (s *Server) AdminAddr() net.Addr {
	if s.admin == nil {
		return nil
	}
	return s.admin.Addr()
}

// Run works until ctx ends, then lets streams finish for a bounded time. It returns nil after such an end.
func (s *Server) Run(ctx context.Context) error {
	sayCongestion(s.log, s.cfg.Congestion)
	s.log.Info().Stringer("address", s.carrier.Addr()).Int("clients", len(*s.clients.Load())).Msg("plain carrier listens")
	if s.admin != nil {
		s.log.Info().Stringer("address", s.admin.Addr()).Msg("dashboard, status API and metrics")
	}
	g, inner := errgroup.WithContext(ctx)
	g.Go(func() error { return runTrimmer(inner, s.meter) })
	g.Go(func() error { return ended(s.tunnel.Serve(listener{s.conns})) })
	if s.admin != nil {
		g.Go(s.admin.Serve)
	}
	g.Go(func() error {
		<-inner.Done()
		return s.leave()
	})
	return g.Wait()
}

// leave stops accepting, lets streams finish, and ends.
func (s *Server) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	s.log.Info().Msg("stopping: streams may finish")
	err := s.tunnel.Shutdown(ctx)
	drain(s.conns.Drain)
	s.close()
	return ended(err)
}
