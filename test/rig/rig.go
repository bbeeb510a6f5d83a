//go:build linux

// Package rig runs a client and a server, the real programs with their default configuration, on two hosts of a lab,
// for tests and benchmarks of the whole.
package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/proxy"

	"hawser/proxy/admin"
	"hawser/test/netlab"
)

// Options say what a rig is made of.
type Options struct {
	Bin    string              // directory of the programs
	Links  []netlab.LinkConfig // the client's uplinks
	Family netlab.Family       // of all addresses; 0: IPv4
	Env    []string            // NAME=value for both programs: what they are to do otherwise than by default
	User   string              // name or number that both run as, without any capability; empty: as this process
}

// Rig is a client and a server over the uplinks of a lab, set up as a user would: init, invite, join, two runs.
type Rig struct {
	Lab    *netlab.Lab
	Home   *netlab.Multihome
	Addr   netip.Addr // the server's
	Client *netlab.Cmd
	Server *netlab.Cmd
	Dir    string // of the configuration and the logs

	bin  string
	env  []string
	user *syscall.Credential // nil: this process's
	stop context.CancelFunc
}

// Start builds the network in an empty lab, starts both programs, and waits until their sessions have joined every
// uplink. The caller closes the Rig; the lab is closed with it.
func Start(ctx context.Context, lab *netlab.Lab, o Options) (*Rig, error) {
	if o.Family == 0 {
		o.Family = netlab.IPv4
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &Rig{Lab: lab, bin: o.Bin, env: o.Env, stop: cancel}
	if err := r.start(ctx, o); err != nil {
		err = fmt.Errorf("%w\n%s", err, r.Logs())
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Rig) start(ctx context.Context, o Options) (err error) {
	if r.user, err = credential(o.User); err != nil {
		return err
	}
	if r.Dir, err = os.MkdirTemp("", "hawser-rig-"); err != nil {
		return err
	}
	r.Home = r.Lab.Multihome(r.Lab.Host("client"), r.Lab.Host("server"), o.Links, o.Family)
	if err := r.Lab.Err(); err != nil {
		return err
	}
	if r.Addr = r.Home.Addr; o.Family == netlab.IPv6 {
		r.Addr = r.Home.Addr6
	}
	if err := r.configure(ctx); err != nil {
		return err
	}
	if err := r.handOver(); err != nil {
		return err
	}
	if r.Server, err = r.launch(ctx, r.Home.Server, "server"); err != nil {
		return err
	}
	if r.Client, err = r.launch(ctx, r.Home.Client, "client"); err != nil {
		return err
	}
	return r.WaitJoined(ctx)
}

// configure runs init, invite and join.
func (r *Rig) configure(ctx context.Context) error {
	addr := r.Addr.String()
	own := netip.PrefixFrom(r.Addr, r.Addr.BitLen()).String() // traffic's target is on the server's own host
	if _, err := r.run(ctx, "server", "init", "--dir", r.Dir, "--address", addr, "--allow", own); err != nil {
		return err
	}
	invite, err := r.run(ctx, "server", "-c", filepath.Join(r.Dir, "server.yaml"), "invite", "rig")
	if err != nil {
		return err
	}
	args := []string{"join", strings.TrimSpace(invite), "--dir", r.Dir}
	for _, l := range r.Home.Uplinks {
		args = append(args, "--uplink", l.Interface(netlab.SideA))
	}
	_, err = r.run(ctx, "client", args...)
	return err
}

func (r *Rig) run(ctx context.Context, program string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, filepath.Join(r.bin, "hawser-"+program), args...)
	var complaint strings.Builder
	c.Stderr = &complaint
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("hawser-%s %s: %w: %s", program, args[0], err, complaint.String())
	}
	return string(out), nil
}

func (r *Rig) launch(ctx context.Context, h *netlab.Host, name string) (*netlab.Cmd, error) {
	log, err := os.Create(filepath.Join(r.Dir, name+".log"))
	if err != nil {
		return nil, err
	}
	c := h.Command(ctx, filepath.Join(r.bin, "hawser-"+name), "-c", filepath.Join(r.Dir, name+".yaml"), "run")
	c.Stderr, c.Env = log, append(os.Environ(), r.env...)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: r.user}
	return c, c.Start()
}

// Logs is what both programs have said.
func (r *Rig) Logs() string {
	var all strings.Builder
	for _, name := range []string{"server.log", "client.log"} {
		text, _ := os.ReadFile(filepath.Join(r.Dir, name))
		fmt.Fprintf(&all, "--- %s\n%s", name, text)
	}
	return all.String()
}

// WaitJoined waits until at least two sessions are established and each has a working subflow over every uplink.
func (r *Rig) WaitJoined(ctx context.Context) error {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if st, err := r.Status(); err == nil && r.joined(st) {
			return nil
		}
	}
	return errors.New("the sessions have not joined every uplink within 20 s")
}

func (r *Rig) joined(st admin.Status) bool {
	for _, s := range st.Sessions {
		active := 0
		for _, f := range s.Subflows {
			if f.State == admin.SubflowActive {
				active++
			}
		}
		if active < len(r.Home.Uplinks) {
			return false
		}
	}
	return len(st.Sessions) >= 2
}

// Status asks the client's status API.
func (r *Rig) Status() (admin.Status, error) { return r.status(r.Home.Client, "127.0.0.1:9090") }

// ServerStatus asks the server's status API.
func (r *Rig) ServerStatus() (admin.Status, error) { return r.status(r.Home.Server, "127.0.0.1:9091") }

func (r *Rig) status(h *netlab.Host, addr string) (st admin.Status, err error) {
	api := http.Client{Transport: &http.Transport{
		DialContext:       func(ctx context.Context, network, addr string) (net.Conn, error) { return h.Dial(ctx, network, addr) },
		DisableKeepAlives: true,
	}, Timeout: 2 * time.Second}
	answer, err := api.Get("http://" + addr + "/api/v1/status")
	if err != nil {
		return st, err
	}
	defer answer.Body.Close()
	return st, json.NewDecoder(answer.Body).Decode(&st)
}

// Dial opens a connection through the proxy pair, by SOCKS5. It is a bare *net.TCPConn.
func (r *Rig) Dial(ctx context.Context, addr string) (net.Conn, error) {
	return DialSOCKS(ctx, r.Home.Client, "127.0.0.1:1080", addr)
}

// DialSOCKS opens a connection from a host to addr by SOCKS5 through a proxy that it reaches. It is a bare *net.TCPConn.
func DialSOCKS(ctx context.Context, from *netlab.Host, through, addr string) (net.Conn, error) {
	d, err := proxy.SOCKS5("tcp", through, nil, nil)
	if err != nil {
		return nil, err
	}
	c, err := from.Dial(ctx, "tcp", through)
	if err != nil {
		return nil, err
	}
	handshake := d.(interface {
		DialWithConn(ctx context.Context, c net.Conn, network, addr string) (net.Addr, error)
	})
	if _, err := handshake.DialWithConn(ctx, c, "tcp", addr); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// Close stops the programs and removes everything.
func (r *Rig) Close() {
	r.stop()
	for _, c := range []*netlab.Cmd{r.Client, r.Server} {
		if c != nil && c.Process != nil {
			_ = c.Wait()
		}
	}
	_ = r.Lab.Close()
	_ = os.RemoveAll(r.Dir)
}
