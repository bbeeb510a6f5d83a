package main

import (
	"context"
	"flag"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"

	"hawser/test/netlab"
	"hawser/test/netlab/profile"
	"hawser/transport/packet"
	"hawser/transport/tcp"
)

// volume is how much TestEveryLink sends.
var volume = flag.Int64("bytes", megabyte, "how much TestEveryLink sends in each direction of each conversation")

// distinctLinks are the links of all profiles, each once.
func distinctLinks() (links []profile.Link) {
	for _, p := range append(profile.Named(), profile.Pairs()...) {
		for _, l := range p.Links {
			if !slices.Contains(links, l) {
				links = append(links, l)
			}
		}
	}
	return links
}

// emulated bounds the sum of the rates of the links that run at the same time, bit/s in each direction: more would measure
// the emulator.
var emulated = semaphore.NewWeighted(300 * profile.Mbit)

// TestEveryLink has a conversation over each link of the profiles, in both roles, over IPv4 and IPv6, with both directions
// at the same time, as a user whose only capability is CAP_NET_RAW. Every byte is compared, both directions end in order,
// and rawcat's host sends no RST. Links that lose packets run bbr at both ends, where the kernel has it.
//
// A megabyte each way is what it sends by itself. For 200 MB each way, here over the links of 50 Mbit/s:
//
//	go test ./test/rawcat -run 'TestEveryLink/50-' -timeout 1h -args -bytes 200000000
func TestEveryLink(t *testing.T) {
	for n, l := range distinctLinks() {
		t.Run(strings.ReplaceAll(l.String(), "/", "-"), func(t *testing.T) {
			t.Parallel()
			everyRole(t, func(t *testing.T, catListens, v6 bool) {
				t.Parallel()
				if err := emulated.Acquire(t.Context(), l.Rate); err != nil {
					t.Fatal(err)
				}
				defer emulated.Release(l.Rate)
				cfg := netlab.Uplinks(profile.Profile{Links: []profile.Link{l}})[0]
				cfg.Seed = uint64(n + 1)
				overLink(t, l, cfg, catListens, v6)
			})
		})
	}
}

// overLink is one conversation of TestEveryLink.
func overLink(t *testing.T, l profile.Link, cfg netlab.LinkConfig, catListens, v6 bool) {
	lab := netlab.New(t)
	a, b := lab.Host("a"), lab.Host("b")
	link := lab.Link(a, b, cfg)
	sides := watchLink(link)
	x := exchange{
		from: a, to: b, at: address(link, netlab.SideB, v6), catListens: catListens, unroot: true,
		up: stream{1, *volume}, down: stream{2, *volume},
		patience: patience + 20*time.Duration(float64(*volume)*8/float64(l.Rate)*float64(time.Second)),
	}
	if l.Loss > 0 {
		x.congestion = "bbr"
	}
	f := x.run(t)
	ours := sides[netlab.SideA]
	if catListens {
		ours = sides[netlab.SideB]
	}
	ours.wantNoReset(t)
	t.Logf("%+v", f)
}

// What TestEveryLink looks for is there when nothing keeps the kernel from answering.
func TestTheKernelResetsWhatItHasNotReserved(t *testing.T) {
	everyRole(t, func(t *testing.T, catListens, v6 bool) {
		lab := netlab.New(t)
		a, b := lab.Host("a"), lab.Host("b")
		link := lab.Link(a, b, netlab.LinkConfig{Emulate: true})
		sides := watchLink(link)
		ours, kernels, side := a, b, netlab.SideA
		port := packet.PortConfig{}
		if catListens {
			ours, kernels, side, port.Port = b, a, netlab.SideB, listenPort
		}
		o := options{congestion: "cubic", gso: true}
		var s *stack
		if err := ours.Do(func() (err error) {
			s, err = o.open(port, link.Interface(side))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		defer s.close()
		if err := s.ports.Close(); err != nil { // from now on the kernel answers
			t.Fatal(err)
		}
		at := netip.AddrPortFrom(address(link, netlab.SideB, v6), listenPort)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if catListens {
			l, err := s.endpoint.Listen(at, tcp.ListenerConfig{})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if c, err := kernels.Dial(ctx, "tcp", at.String()); err == nil {
				t.Error("the kernel connects to a port that is closed on the other host")
				_ = c.Close()
			}
		} else {
			l, err := kernels.Listen("tcp", at.String())
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if c, err := s.endpoint.Dial(ctx, address(link, netlab.SideA, v6), at); err == nil {
				_, _ = c.Write([]byte("into the void"))
				_, _ = io.Copy(io.Discard, c) // until the peer answers that it knows of no connection
			}
		}
		if sides[side].resets.Load() == 0 {
			t.Error("our kernel has sent no RST: a test that finds none shows nothing")
		}
	})
}
