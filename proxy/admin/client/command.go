package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Exit is the exit status of the command status.
type Exit int

// The values of Exit.
const (
	ExitHealthy     Exit = 0
	ExitDegraded    Exit = 1
	ExitUnreachable Exit = 2
)

// Options say how the command status shows what it gets.
type Options struct {
	JSON  bool          // the answer of the API, one line each time
	Watch bool          // again and again until the context ends
	Every time.Duration // with Watch; 0: one second
}

// clearScreen moves the cursor home and erases what is there (ECMA-48 CUP and ED).
const clearScreen = "\x1b[H\x1b[2J"

// Show is the command status: it writes the status to out, why it is not well to errOut, and returns the exit status,
// with Watch that of the last look.
func (c *Client) Show(ctx context.Context, o Options, out, errOut io.Writer) Exit {
	exit := c.showOnce(ctx, o, out, errOut)
	if !o.Watch {
		return exit
	}
	every := o.Every
	if every <= 0 {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return exit
		case <-tick.C:
		}
		if next := c.showOnce(ctx, o, out, errOut); ctx.Err() == nil {
			exit = next // a look that the end has cut short says nothing
		}
	}
}

// showOnce fetches and prints one status. What is printed while watching is put together first, so that the screen
// does not flicker.
func (c *Client) showOnce(ctx context.Context, o Options, out, errOut io.Writer) Exit {
	status, raw, err := c.Status(ctx)
	if ctx.Err() != nil {
		return ExitUnreachable
	}
	if err != nil {
		fmt.Fprintln(errOut, err)
		return ExitUnreachable
	}
	var page bytes.Buffer
	if o.JSON {
		page.Write(append(bytes.TrimSpace(raw), '\n'))
	} else {
		if o.Watch {
			page.WriteString(clearScreen)
		}
		if err := Render(&page, status); err != nil {
			fmt.Fprintln(errOut, err)
			return ExitUnreachable
		}
	}
	if _, err := page.WriteTo(out); err != nil {
		fmt.Fprintln(errOut, err)
		return ExitUnreachable
	}
	why := Degraded(status)
	if err := c.Health(ctx); err != nil && why == "" {
		why = err.Error()
		if !errors.Is(err, ErrUnhealthy) {
			why = "health is not known: " + why
		}
	}
	if why == "" {
		return ExitHealthy
	}
	fmt.Fprintln(errOut, "degraded:", why)
	return ExitDegraded
}
