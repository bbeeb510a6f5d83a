package netlab

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// A Lab is a set of hosts and links. Its methods and those of its hosts and links may be used by several goroutines;
// those that build it (Host, Link, Multihome) by one at a time.
type Lab struct {
	prefix string // of the namespaces' names
	fabric *Host  // where the emulators' ends lie

	mu    sync.Mutex
	tb    testing.TB // fails at the first error; nil: the error is kept
	err   error
	hosts []*Host
	links []*Link
	ends  []func() error // run first when the lab closes
	pcap  string         // directory for captures of all links; "": none
	done  bool
}

// labs numbers the labs of this process.
var labs atomic.Int64

// New makes an empty lab that is cleaned up when the test ends. It skips the test where NeedRoot does.
func New(tb testing.TB) *Lab {
	tb.Helper()
	NeedRoot(tb)
	l, err := Open()
	if err != nil {
		tb.Fatal(err)
	}
	l.tb = tb
	tb.Cleanup(func() {
		l.mu.Lock()
		l.tb = nil
		l.mu.Unlock()
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	})
	return l
}

// Open makes an empty lab that the caller must Close. It also removes what labs of dead processes have left.
func Open() (*Lab, error) {
	if err := privileged(); err != nil {
		return nil, fmt.Errorf("netlab: %w", err)
	}
	if err := sweep(); err != nil {
		return nil, fmt.Errorf("netlab: sweep of an earlier run: %w", err)
	}
	raiseProcs()
	me, err := self()
	if err != nil {
		return nil, fmt.Errorf("netlab: %w", err)
	}
	l := &Lab{prefix: fmt.Sprintf("%s%d-", me.prefix(), labs.Add(1)), pcap: os.Getenv("NETLAB_PCAP")}
	if l.fabric = l.Host("fabric"); l.err != nil {
		return nil, errors.Join(l.err, l.Close())
	}
	l.fabric.Sysctl("net.ipv6.conf.all.disable_ipv6", "1") // the emulators' ends must not speak themselves
	l.fabric.Sysctl("net.ipv6.conf.default.disable_ipv6", "1")
	return l, nil
}

// emulators is how many goroutines beside the program's own the Go runtime should be able to run at any moment.
const emulators = 6

// raiseProcs gives the emulators' threads room in the Go runtime: a thread that wakes while all of GOMAXPROCS is taken
// waits for up to 10 ms, whatever its priority is to the kernel.
var raiseProcs = sync.OnceFunc(func() {
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), runtime.NumCPU()+emulators))
})

// Err returns the first error of a lab from Open; nil: all is well.
func (l *Lab) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// do runs an operation of the lab unless one has failed before, and deals with its error.
func (l *Lab) do(what string, f func() error) {
	if l.Err() != nil {
		return
	}
	err := f()
	if err == nil {
		return
	}
	err = fmt.Errorf("netlab: %s: %w", what, err)
	l.mu.Lock()
	tb := l.tb
	if l.err == nil {
		l.err = err
	}
	l.mu.Unlock()
	if tb != nil {
		tb.Helper()
		tb.Fatal(err)
	}
}

// atClose has f run when the lab closes, before anything else of it ends.
func (l *Lab) atClose(f func() error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends = append(l.ends, f)
}

// Close stops the links, kills the processes in the lab's namespaces and removes these. It may be called twice.
func (l *Lab) Close() error {
	l.mu.Lock()
	done, links, hosts, ends := l.done, l.links, l.hosts, l.ends
	l.done = true
	l.mu.Unlock()
	if done {
		return nil
	}
	var errs []error
	for _, end := range ends {
		errs = append(errs, end())
	}
	for _, link := range links {
		errs = append(errs, link.close())
	}
	for _, h := range hosts {
		errs = append(errs, h.close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("netlab: close: %w", err)
	}
	return nil
}
