package proxyhost

// signal wakes one goroutine. Raised while that one is busy it wakes it once more, however often.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) raise() {
	select {
	case s <- struct{}{}:
	default:
	}
}
