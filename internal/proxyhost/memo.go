package proxyhost

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"orbit/internal/problem"
)

const (
	memoFresh = 500 * time.Millisecond // within a second a change counts everywhere
	memoTime  = 10 * time.Second       // for the database to answer
	maxMemo   = 10_000
)

// memo remembers for a moment what the database said, so that a burst of sign-ins asks once.
type memo[K comparable, T any] struct {
	flights singleflight.Group

	mu    sync.Mutex
	known map[K]answer[T]
}

// answer is what was said and when it was asked for.
type answer[T any] struct {
	value T
	err   error // nil or problem.ErrNotFound; others are not kept
	asked time.Time
}

// get answers from memory, or lets one caller ask for all. The question goes on when that caller leaves.
func (m *memo[K, T]) get(ctx context.Context, key K, ask func(context.Context) (T, error)) (T, error) {
	m.mu.Lock()
	known := m.known[key]
	m.mu.Unlock()
	if time.Since(known.asked) < memoFresh {
		return known.value, known.err
	}
	done := m.flights.DoChan(fmt.Sprint(key), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), memoTime)
		defer cancel()
		fresh := answer[T]{asked: time.Now()}
		fresh.value, fresh.err = ask(ctx)
		m.keep(key, fresh)
		return fresh.value, fresh.err
	})
	select {
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	case result := <-done:
		value, _ := result.Val.(T)
		return value, result.Err
	}
}

func (m *memo[K, T]) keep(key K, fresh answer[T]) {
	if fresh.err != nil && !errors.Is(fresh.err, problem.ErrNotFound) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxMemo { // clients may name anybody
		m.known = make(map[K]answer[T])
	}
	m.known[key] = fresh
}
