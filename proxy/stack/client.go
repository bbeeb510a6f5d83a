package stack

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"hawser/configs"
	"hawser/mptcp"
	"hawser/proxy/admin"
	"hawser/proxy/inbound"
	"hawser/proxy/relay"
	"hawser/proxy/tunnel"
	"hawser/transport"
	"hawser/transport/plain"
	"hawser/transport/uplink"
)

// leaveTime is how long streams have to finish when a program is told to stop.
const leaveTime = 6 * time.Second

// drainTime is how long sessions then have to end in order, so that the other end does not wait for this one.
const drainTime = time.Second

// Ways is where a client learns its uplinks and how they reach the server. The default finds them on this machine.
type Ways interface {
	mptcp.PathSource
	Uplinks() []uplink.Uplink
	Run(ctx context.Context) error
}

// ClientOptions is what a client may be given beside its configuration. The zero value works.
type ClientOptions struct {
	Version string
	Log     zerolog.Logger
	Ways    Ways              // nil: this machine's uplinks, by configuration
	Carrier transport.Carrier // nil: plain, with the configured congestion control
}

// Client is a running client.
type Client struct {
	cfg       *configs.Client
	log       zerolog.Logger
	version   string
	started   time.Time
	board     *uplink.Board
	budget    *mptcp.Budget
	ways      Ways
	dialer    *mptcp.Dialer
	pool      *tunnel.Pool
	proxy     *inbound.Server
	meter     *relay.Meter
	listeners []net.Listener
	admin     *admin.Server
}

// NewClient opens the client's ports and begins to establish sessions. Errors name the key and the port.
func NewClient(cfg *configs.Client, o ClientOptions) (*Client, error) {
	key, err := cfg.Key()
	if err != nil {
		return nil, err
	}
	identity, err := tunnel.NewIdentity(key.Ed25519())
	if err != nil {
		return nil, err
	}
	c := &Client{
		cfg: cfg, log: o.Log, version: o.Version, started: time.Now(), board: uplink.NewBoard(),
		budget: mptcp.NewBudget(int64(cfg.MemoryLimit())), ways: o.Ways, meter: new(relay.Meter),
	}
	if c.ways == nil {
		c.ways = findWays(cfg, o.Log)
	}
	if o.Carrier == nil {
		o.Carrier = plain.NewCarrier(cfg.Congestion)
	}
	if err := c.listen(); err != nil {
		c.closeListeners()
		return nil, err
	}
	c.dialer = &mptcp.Dialer{
		Config: mptcp.Config{
			Scheduler: cfg.Scheduler, Board: c.board, Budget: c.budget, Survive: cfg.Sessions.Survive,
			Observe: observe(o.Log, false),
		},
		Carrier: o.Carrier, Paths: c.ways,
	}
	c.pool, err = tunnel.NewPool(tunnel.PoolConfig{
		Dialer: dialer{c.dialer}, Identity: identity, ServerKey: cfg.Server.PublicKey.Ed25519(),
		Min: cfg.Sessions.Min, Max: cfg.Sessions.Max, Survive: cfg.Sessions.Survive,
		Windows: newWindows(c.budget, cfg.MemoryLimit()), Software: o.Version, Log: o.Log,
	})
	if err == nil {
		c.proxy, err = inbound.New(inbound.Options{
			Opener: opener{c.pool}, Users: proxyUsers(cfg.Users), AllowFrom: cfg.AllowFrom, Meter: c.meter, Log: o.Log,
		})
	}
	if err != nil {
		c.closeListeners()
		return nil, err
	}
	return c, nil
}

// findWays looks for the machine's uplinks.
func findWays(cfg *configs.Client, log zerolog.Logger) Ways {
	list := make([]uplink.Config, 0, len(cfg.Uplinks))
	for _, u := range cfg.Uplinks {
		list = append(list, uplink.Config{
			Name: u.Name, Interface: u.Interface, Source: u.Source, Backup: u.Backup, Carrier: u.Carrier,
		})
	}
	set := uplink.NewSet(list, nil)
	targets := uplink.NewTargets(set, uplink.TargetsConfig{
		Addresses: cfg.Server.Addresses, PlainPort: cfg.Server.PlainPort,
		Changed: func(u uplink.Uplink) {
			line := log.Info().Str("uplink", u.Name).Str("interface", u.Interface)
			if a := u.Address(); a.IsValid() {
				line = line.Stringer("address", a)
			}
			line.Str("state", string(u.State)).Str("reason", u.Reason).Msg("uplink")
		},
	})
	return machineWays{targets, set}
}

// machineWays are the uplinks of this machine.
type machineWays struct {
	*uplink.Targets
	set *uplink.Set
}

// Run follows them until ctx ends.
func (w machineWays) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.set.Run(ctx) })
	g.Go(func() error { return w.Targets.Run(ctx) })
	return g.Wait()
}

func proxyUsers(users []configs.User) []inbound.User {
	list := make([]inbound.User, 0, len(users))
	for _, u := range users {
		list = append(list, inbound.User{Name: u.Name, Password: u.Password.Reveal()})
	}
	return list
}

// listen opens the proxy's and the admin's ports.
func (c *Client) listen() error {
	for _, addr := range c.cfg.Listen {
		ln, err := inbound.Listen(context.Background(), addr)
		if err != nil {
			return portError("listen", err)
		}
		c.listeners = append(c.listeners, ln)
	}
	var err error
	c.admin, err = openAdmin(c.cfg.AdminListener(), c, c.log)
	return err
}

func openAdmin(a configs.Admin, src admin.Source, log zerolog.Logger) (*admin.Server, error) {
	if a.Address == "" {
		return nil, nil
	}
	return admin.Listen(admin.Config{Address: a.Address, Token: a.Token.Reveal(), Hosts: a.Hosts, Log: log}, src)
}

func (c *Client) closeListeners() {
	for _, ln := range c.listeners {
		_ = ln.Close()
	}
	if c.admin != nil {
		_ = c.admin.Close()
	}
}

// Addrs are where the proxy listens, in the order of the configuration.
func (c *Client) Addrs() []net.Addr {
	list := make([]net.Addr, 0, len(c.listeners))
	for _, ln := range c.listeners {
		list = append(list, ln.Addr())
	}
	return list
}

// AdminAddr is where the admin pages are; nil: off.
func (c *Client) AdminAddr() net.Addr {
	if c.admin == nil {
		return nil
	}
	return c.admin.Addr()
}

// Pool gives access to the sessions, for programs that open streams themselves.
func (c *Client) Pool() *tunnel.Pool { return c.pool }

// Run works until ctx ends, then lets streams finish for a bounded time. It returns nil after such an end.
func (c *Client) Run(ctx context.Context) error {
	sayCongestion(c.log, c.cfg.Congestion)
	for _, a := range c.Addrs() {
		c.log.Info().Stringer("address", a).Msg("proxy listens (SOCKS5, SOCKS4a, HTTP)")
	}
	if c.admin != nil {
		c.log.Info().Stringer("address", c.admin.Addr()).Msg("dashboard, status API and metrics")
	}
	g, inner := errgroup.WithContext(ctx)
	g.Go(func() error { return ended(c.ways.Run(inner)) })
	g.Go(func() error { return runTrimmer(inner, c.meter) })
	for _, ln := range c.listeners {
		g.Go(func() error { return c.proxy.Serve(ln) })
	}
	if c.admin != nil {
		g.Go(c.admin.Serve)
	}
	g.Go(func() error {
		<-inner.Done()
		return c.leave()
	})
	return g.Wait()
}

// leave stops accepting, lets streams finish, and ends.
func (c *Client) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	c.log.Info().Msg("stopping: streams may finish")
	err := errors.Join(c.proxy.Shutdown(ctx), c.pool.Close(ctx))
	drain(c.dialer.Drain)
	if c.admin != nil {
		_ = c.admin.Close()
	}
	return ended(err)
}

// drain gives sessions some time to end in order.
func drain(sessions func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	sessions(ctx)
}

// ended turns the errors of an ordered end into none.
func ended(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
