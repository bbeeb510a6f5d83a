package program

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Patience is how long a wait may last that says nothing else: far above what it takes on a busy machine.
const Patience = 20 * time.Second

// leaveTime is how long a program may take to end after SIGTERM: 8 s, and some for a busy machine.
const leaveTime = 12 * time.Second

// Process is a running program. Its methods may be called from any goroutine; those that wait fail the test when they
// have waited too long.
type Process struct {
	tb      testing.TB
	name    string
	options Options
	cmd     *exec.Cmd
	log     *log   // standard error
	out     *log   // standard output
	done    signal // the process has ended
}

// signal is closed once.
type signal chan struct{}

// Start starts a program. It is killed when the test ends.
func Start(tb testing.TB, name string, o Options) *Process {
	tb.Helper()
	p := &Process{tb: tb, name: name, options: o, log: newLog(), out: newLog(), done: make(signal)}
	p.cmd = exec.Command(Path(tb, name), o.Args...)
	o.prepare(p.cmd)
	p.cmd.Stderr, p.cmd.Stdout = p.log, p.out
	if err := o.start(p.cmd); err != nil {
		tb.Fatalf("start %s %s: %v", name, strings.Join(o.Args, " "), err)
	}
	go func() {
		_ = p.cmd.Wait() // ProcessState tells
		p.log.end()
		p.out.end()
		close(p.done)
	}()
	tb.Cleanup(func() {
		p.Kill()
		if tb.Failed() {
			tb.Logf("log of %s %s:\n%s", name, strings.Join(o.Args, " "), p.log.tail())
		}
	})
	return p
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Running tells whether the process has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Wait waits for the end of the process and gives its exit status; -1: ended by a signal.
func (p *Process) Wait(patience time.Duration) int {
	p.tb.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.tb.Fatalf("%s still runs after %v", p.name, patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Stop asks the process to end (SIGTERM) and gives its exit status.
func (p *Process) Stop() int {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && p.Running() {
		p.tb.Fatalf("stop %s: %v", p.name, err)
	}
	return p.Wait(leaveTime)
}

// Kill ends the process at once.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // has ended already
	<-p.done
}

// Out is what the process has written to standard output so far.
func (p *Process) Out() string { return p.out.text() }

// Result is how a program ended.
type Result struct {
	Status   int
	Out, Err string
}

// Run runs a program to its end.
func Run(tb testing.TB, name string, o Options) Result {
	tb.Helper()
	p := Start(tb, name, o)
	status := p.Wait(Patience)
	return Result{status, p.Out(), p.Log()}
}

// must is Run for what has to succeed; it gives standard output.
func must(tb testing.TB, name string, o Options) string {
	tb.Helper()
	r := Run(tb, name, o)
	if r.Status != 0 {
		tb.Fatalf("%s %s: status %d\n%s", name, strings.Join(o.Args, " "), r.Status, r.Err)
	}
	return r.Out
}

// errEnded is why nothing more will be logged.
var errEnded = errors.New("the process has ended")
