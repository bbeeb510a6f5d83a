//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/net/proxy"

	"hawser/test/netlab"
)

// programs gives the directory of the built programs; empty: they are built into a temporary one.
func programs(ctx context.Context, dir string) (bin string, cleanup func(), err error) {
	if dir != "" {
		dir, err = filepath.Abs(dir)
		return dir, func() {}, err
	}
	if dir, err = os.MkdirTemp("", "hawser-bench-"); err != nil {
		return "", nil, err
	}
	cleanup = func() { _ = os.RemoveAll(dir) }
	for _, name := range []string{"client", "server"} {
		build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "hawser-"+name), "hawser/cmd/"+name)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			cleanup()
			return "", nil, fmt.Errorf("build the programs: %w", err)
		}
	}
	return dir, cleanup, nil
}

// rig is a client and a server over uplinks of a lab, and traffic ends on both hosts.
type rig struct {
	lab      *netlab.Lab
	home     *netlab.Multihome
	dir      string
	bin      string
	client   *netlab.Cmd
	server   *netlab.Cmd
	sink     net.Listener // the target of all traffic, on the server's host
	uplinks  int
	stopping context.CancelFunc
}

// newRig starts both programs with their default configuration.
func newRig(ctx context.Context, bin string, links []netlab.LinkConfig) (r *rig, err error) {
	lab, err := netlab.Open()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	r = &rig{lab: lab, bin: bin, uplinks: len(links), stopping: cancel}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.dir, err = os.MkdirTemp("", "hawser-bench-"); err != nil {
		return nil, err
	}
	r.home = lab.Multihome(lab.Host("client"), lab.Host("server"), links, netlab.IPv4)
	if err := lab.Err(); err != nil {
		return nil, err
	}
	if r.sink, err = r.home.Server.Listen("tcp", netip.AddrPortFrom(r.home.Addr, 9000).String()); err != nil {
		return nil, err
	}
	go serveTraffic(r.sink)
	if err := r.start(ctx); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, r.logs())
	}
	return r, nil
}

func (r *rig) start(ctx context.Context) error {
	at := func(name string) string { return filepath.Join(r.dir, name) }
	addr := r.home.Addr.String()
	if out, err := exec.CommandContext(ctx, r.bin+"/hawser-server", "init", "--dir", r.dir, "--address", addr, "--allow", addr+"/32").CombinedOutput(); err != nil {
		return fmt.Errorf("init: %w: %s", err, out)
	}
	invite, err := exec.CommandContext(ctx, r.bin+"/hawser-server", "-c", at("server.yaml"), "invite", "bench").Output()
	if err != nil {
		return fmt.Errorf("invite: %w", err)
	}
	args := []string{"join", strings.TrimSpace(string(invite)), "--dir", r.dir}
	for _, l := range r.home.Uplinks {
		args = append(args, "--uplink", l.Interface(netlab.SideA))
	}
	if out, err := exec.CommandContext(ctx, r.bin+"/hawser-client", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("join: %w: %s", err, out)
	}
	if r.server, err = r.launch(ctx, r.home.Server, "server"); err != nil {
		return err
	}
	if r.client, err = r.launch(ctx, r.home.Client, "client"); err != nil {
		return err
	}
	return r.ready(ctx)
}

func (r *rig) launch(ctx context.Context, h *netlab.Host, name string) (*netlab.Cmd, error) {
	log, err := os.Create(filepath.Join(r.dir, name+".log"))
	if err != nil {
		return nil, err
	}
	c := h.Command(ctx, r.bin+"/hawser-"+name, "-c", filepath.Join(r.dir, name+".yaml"), "run")
	c.Stderr = log
	return c, c.Start()
}

func (r *rig) logs() string {
	var all strings.Builder
	for _, name := range []string{"server.log", "client.log"} {
		text, _ := os.ReadFile(filepath.Join(r.dir, name))
		fmt.Fprintf(&all, "--- %s\n%s", name, text)
	}
	return all.String()
}

// ready waits until every session has a subflow over every uplink.
func (r *rig) ready(ctx context.Context) error {
	api := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return r.home.Client.Dial(ctx, network, addr)
		},
		DisableKeepAlives: true,
	}, Timeout: 2 * time.Second}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.joined(&api) {
			return nil
		}
	}
	return errors.New("the sessions have not joined every uplink within 20 s")
}

func (r *rig) joined(api *http.Client) bool {
	answer, err := api.Get("http://127.0.0.1:9090/api/v1/status")
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	var st struct {
		Sessions []struct {
			State    string
			Subflows []struct{ State string }
		}
	}
	if json.NewDecoder(answer.Body).Decode(&st) != nil || len(st.Sessions) < 2 {
		return false
	}
	for _, s := range st.Sessions {
		active := 0
		for _, f := range s.Subflows {
			if f.State == "active" {
				active++
			}
		}
		if active < r.uplinks {
			return false
		}
	}
	return true
}

// dial opens a connection to the sink through the proxy pair.
func (r *rig) dial(ctx context.Context) (net.Conn, error) {
	d, err := proxy.SOCKS5("tcp", "127.0.0.1:1080", nil, hostDialer{r.home.Client})
	if err != nil {
		return nil, err
	}
	return d.(proxy.ContextDialer).DialContext(ctx, "tcp", r.sink.Addr().String())
}

// direct opens a connection to the sink by kernel TCP over one uplink.
func (r *rig) direct(ctx context.Context, uplink int) (conn net.Conn, err error) {
	local := r.home.Uplinks[uplink].Addr(netlab.SideA)
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))}
	d.SetMultipathTCP(false)
	err = r.home.Client.Do(func() error {
		conn, err = d.DialContext(ctx, "tcp", r.sink.Addr().String())
		return err
	})
	return conn, err
}

// hostDialer dials from a host of the lab.
type hostDialer struct{ h *netlab.Host }

func (d hostDialer) Dial(network, addr string) (net.Conn, error) {
	return d.h.Dial(context.Background(), network, addr)
}

func (d hostDialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return d.h.Dial(ctx, network, addr)
}

// rss is the resident memory of a program, bytes.
func rss(c *netlab.Cmd) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kb); n == 1 {
			return kb << 10, nil
		}
	}
	return 0, io.ErrUnexpectedEOF
}

func (r *rig) close() {
	r.stopping()
	if r.sink != nil {
		_ = r.sink.Close()
	}
	for _, c := range []*netlab.Cmd{r.client, r.server} {
		if c != nil && c.Process != nil {
			_ = c.Wait()
		}
	}
	_ = r.lab.Close()
	_ = os.RemoveAll(r.dir)
}
