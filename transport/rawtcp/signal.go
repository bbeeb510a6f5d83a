package rawtcp

// signal wakes one goroutine; raised twice before it looks, it wakes it once.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) raise() {
	select {
	case s <- struct{}{}:
	default:
	}
}
