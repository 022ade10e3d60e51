package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// ErrLocked says that another process, or another part of this one, holds a lock.
var ErrLocked = errors.New("locked")

// Lock is an advisory lock on a file, given back by the kernel when the process ends, however it ends.
type Lock struct{ file *os.File }

// TryLock takes the lock for one holder, or returns ErrLocked. The note tells others who holds it.
func TryLock(path, note string) (*Lock, error) {
	l, err := tryLock(path, syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	if err := l.write(note); err != nil {
		l.Release()
		return nil, err
	}
	return l, nil
}

// TryShare takes the lock together with others who share it.
func TryShare(path string) (*Lock, error) { return tryLock(path, syscall.LOCK_SH) }

func tryLock(path string, how int) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, describeFile("lock", path, err)
	}
	if err := flock(f, how|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrLocked
		}
		return nil, describeFile("lock", path, err)
	}
	return &Lock{file: f}, nil
}

// AwaitLock takes the lock for one holder as soon as it is free.
func AwaitLock(ctx context.Context, path, note string) (*Lock, error) {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		l, err := TryLock(path, note)
		if !errors.Is(err, ErrLocked) {
			return l, err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for %s: %w", path, context.Cause(ctx))
		}
	}
}

// flock repeats a call that a signal interrupted; the runtime itself sends signals.
func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// Holder reads the note of the process that holds the lock; it may be empty for a moment.
func Holder(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func (l *Lock) write(note string) error {
	if err := l.file.Truncate(0); err != nil {
		return describeFile("write", l.file.Name(), err)
	}
	_, err := l.file.WriteAt([]byte(note), 0)
	return describeFile("write", l.file.Name(), err)
}

// Release gives the lock back and erases the note. Releasing nothing is fine.
func (l *Lock) Release() {
	if l == nil {
		return
	}
	_ = l.file.Truncate(0)
	// Closing alone is not enough: a child that is being started still has the file until it runs.
	_ = flock(l.file, syscall.LOCK_UN)
	_ = l.file.Close()
}
