package demo

import "context"

// part is something that runs until it is stopped.
type part struct {
	cancel context.CancelFunc
	ended  chan struct{} // closed when it has ended; then err is set
	err    error
}

// start runs f, which ends soon after its context.
func start(f func(context.Context) error) *part {
	ctx, cancel := context.WithCancel(context.Background())
	p := &part{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.err = f(ctx)
	}()
	return p
}

// stop ends it and says what went wrong with it.
func (p *part) stop() error {
	p.cancel()
	<-p.ended
	return p.err
}
