package netlab

import (
	"context"
	"os/exec"
)

// A Cmd is an exec.Cmd whose process runs on a host. All of exec.Cmd's fields may be set, SysProcAttr.Credential for
// another user too. A process that still runs when the lab closes is killed, with its children.
type Cmd struct {
	*exec.Cmd
	host *Host
}

// Command prepares a command that runs on the host. Cancelling ctx kills it.
func (h *Host) Command(ctx context.Context, name string, args ...string) *Cmd {
	return &Cmd{Cmd: exec.CommandContext(ctx, name, args...), host: h}
}

// Start is exec.Cmd's Start on the host: the child is forked from a thread inside the namespace.
func (c *Cmd) Start() error { return c.host.Do(c.Cmd.Start) }

// Run is exec.Cmd's Run on the host.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Output is exec.Cmd's Output on the host.
func (c *Cmd) Output() (out []byte, err error) {
	err = c.host.Do(func() error {
		out, err = c.Cmd.Output()
		return err
	})
	return out, err
}

// CombinedOutput is exec.Cmd's CombinedOutput on the host.
func (c *Cmd) CombinedOutput() (out []byte, err error) {
	err = c.host.Do(func() error {
		out, err = c.Cmd.CombinedOutput()
		return err
	})
	return out, err
}
