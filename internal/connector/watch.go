package connector

import (
	"context"
	"iter"
)

// WatchTest is Test for somebody who looks on: it yields the attempt as it grows, and at last what Test returns.
func (s *Service) WatchTest(ctx context.Context, id int64, r TestRequest) iter.Seq2[Visit, error] {
	return watch(ctx, func(ctx context.Context, tell func(Visit)) (Visit, error) { return s.Test(ctx, id, r, tell) })
}

// WatchPaths is Compare for somebody who looks on: it yields all ways as they get on, and at last what Compare returns.
func (s *Service) WatchPaths(ctx context.Context, server Server) iter.Seq2[[]Path, error] {
	return watch(ctx, func(ctx context.Context, tell func([]Path)) ([]Path, error) { return s.Compare(ctx, server, tell) })
}

// watch yields what work tells, only the newest where that is faster than the reader, and at last what it returns.
// Whoever breaks off ends the work and waits for its end.
func watch[T any](ctx context.Context, work func(ctx context.Context, tell func(T)) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		told := make(chan T, 1)
		var last T
		var err error
		go func() {
			defer close(told)
			last, err = work(ctx, func(news T) {
				select {
				case <-told: // which nobody has seen
				default:
				}
				told <- news
			})
		}()
		defer func() {
			cancel()
			for range told { // until the work has ended
			}
		}()
		for news := range told {
			if !yield(news, nil) {
				return
			}
		}
		yield(last, err)
	}
}
