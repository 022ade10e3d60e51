package cluster

import (
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a running child. Its fields may be read when done is closed.
type process struct {
	cmd   *exec.Cmd
	start chan error
	done  chan struct{}
	err   error // how it ended
}

// supervise starts a child and waits for it on a thread of its own: the kernel takes the end of the thread
// that started a child for the end of its parent, and the Go runtime ends threads as it likes unless a
// goroutine keeps one.
func supervise(cmd *exec.Cmd) *process {
	p := &process{cmd: cmd, start: make(chan error, 1), done: make(chan struct{})}
	// A grandchild may hold the output open after the server itself was killed.
	cmd.WaitDelay = 2 * time.Second
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		err := cmd.Start()
		p.start <- err
		if err == nil {
			p.err = cmd.Wait()
		}
	}()
	return p
}

// started returns when the child runs, or why it does not.
func (p *process) started() error { return <-p.start }

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// endWithin waits for the end and kills what has not ended by then.
func (p *process) endWithin(limit time.Duration) {
	if !waitFor(p.done, limit) {
		p.signal(syscall.SIGKILL)
		<-p.done
	}
}

func waitFor(done <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
