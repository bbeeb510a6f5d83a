//go:build linux

package xray

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"hawser/test/netlab"
	"hawser/test/rig"
)

// Pair is a client and a server of xray-core on the hosts of a lab whose kernels have been told their addresses for
// Multipath TCP.
type Pair struct {
	Client, Server *netlab.Cmd
	home           *netlab.Multihome
	cfg            Config
	dir            string
	stop           context.CancelFunc
}

// Start builds the program if need be and runs both ends of it. The caller closes the Pair.
func Start(ctx context.Context, home *netlab.Multihome, cfg Config) (*Pair, error) {
	program, err := Build(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &Pair{home: home, cfg: cfg, stop: cancel}
	if err := p.start(ctx, program); err != nil {
		err = fmt.Errorf("xray: %w\n%s", err, p.logs())
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Pair) start(ctx context.Context, program string) (err error) {
	if p.dir, err = os.MkdirTemp("", "hawser-xray-"); err != nil {
		return err
	}
	server, err := p.cfg.server(p.home.Addr)
	if err != nil {
		return err
	}
	client, err := p.cfg.client(p.home.Addr)
	if err != nil {
		return err
	}
	if p.Server, err = p.launch(ctx, p.home.Server, program, "server", server); err != nil {
		return err
	}
	if p.Client, err = p.launch(ctx, p.home.Client, program, "client", client); err != nil {
		return err
	}
	if err := await(ctx, p.home.Client, netip.AddrPortFrom(p.home.Addr, p.cfg.Server).String()); err != nil {
		return err
	}
	return await(ctx, p.home.Client, p.socks())
}

func (p *Pair) launch(ctx context.Context, h *netlab.Host, program, name string, config []byte) (*netlab.Cmd, error) {
	file := filepath.Join(p.dir, name+".json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(p.dir, name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c := h.Command(ctx, program, "run", "-c", file)
	c.Stdout, c.Stderr = log, log
	return c, c.Start()
}

// await waits until somebody listens.
func await(ctx context.Context, h *netlab.Host, addr string) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		c, err := h.Dial(ctx, "tcp", addr)
		if err == nil {
			return c.Close()
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return errors.Join(fmt.Errorf("nobody listens on %s of %s", addr, h.Name()), err)
		}
	}
}

func (p *Pair) socks() string {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), p.cfg.SOCKS).String()
}

// Dial opens a connection through the pair. The client answers the application before it has asked the server: a
// target that refuses shows at the first read.
func (p *Pair) Dial(ctx context.Context, addr string) (net.Conn, error) {
	return rig.DialSOCKS(ctx, p.home.Client, p.socks(), addr)
}

func (p *Pair) logs() string {
	all := ""
	for _, name := range []string{"server", "client"} {
		text, _ := os.ReadFile(filepath.Join(p.dir, name+".log"))
		all += fmt.Sprintf("--- %s\n%s", name, text)
	}
	return all
}

// Close ends both programs.
func (p *Pair) Close() {
	p.stop()
	for _, c := range []*netlab.Cmd{p.Client, p.Server} {
		if c != nil && c.Process != nil {
			_ = c.Wait()
		}
	}
	_ = os.RemoveAll(p.dir)
}
