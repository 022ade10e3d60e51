package account

import (
	"context"
	"errors"
	"sync"
	"time"

	"orbit/internal/audit"
	"orbit/internal/mail/ladder"
	"orbit/internal/problem"
)

const (
	maxTestTime     = 15 * time.Minute // the end of DATA alone may take 10 (RFC 5321 4.5.3.2.6)
	aliveEvery      = 5 * time.Second  // a running test says that its process lives
	aliveFor        = 20 * time.Second // without a word it is nobody's any more
	closeInterval   = 10 * time.Second
	sweepInterval   = time.Minute
	maxTestsAtOnce  = 20
	historyPerPage  = 50
	abandonedTest   = "The test was interrupted: Orbit stopped while it ran. Test again."
	tooManyTestsNow = "Many tests are running already. Wait until one has ended."
)

// trial is a test that has begun, of either kind of account.
type trial struct {
	*Test
	table  testTable
	access access
	passed TestState
	visit  func(ctx context.Context, observe ladder.Observer) (reply string, err error)
}

// try visits the server and records. Each step is written when it changes, so that any process can show it. The error
// is about the record: a visit that failed is a test with a fault.
func (s *Service) try(ctx context.Context, t trial, observe ladder.Observer) error {
	deadline, cancel := context.WithTimeout(ctx, maxTestTime)
	defer cancel()
	defer s.keepAlive(ctx, t, aliveEvery)()
	record := func(step ladder.Step) {
		step = s.behindOwn(deadline, t.access, step)
		t.Steps = withStep(t.Steps, step)
		if err := saveTestSteps(ctx, s.pool, t.table, t.Test); err != nil {
			s.log.WarnContext(ctx, "record a test step", "test", t.ID, "error", err)
		}
		if observe != nil {
			observe(step)
		}
	}
	reply, err := t.visit(deadline, record)
	t.State, t.Reply, t.Server = t.passed, reply, t.access.target.Host
	if err != nil {
		failTest(t.Test, err, record)
	}
	now := time.Now()
	t.EndedAt = &now
	return endTest(context.WithoutCancel(ctx), s.pool, t.table, t.Test)
}

// keepAlive lets everybody see that a test is being worked on, until the function it returns is called.
func (s *Service) keepAlive(ctx context.Context, t trial, every time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var beating sync.WaitGroup
	beating.Go(func() {
		beat := time.NewTicker(every)
		defer beat.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
			}
			if err := touchTest(ctx, s.pool, t.table, t.ID); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "say that a test goes on", "test", t.ID, "error", err)
			}
		}
	})
	return func() {
		cancel()
		beating.Wait()
	}
}

// failTest makes sure that a failed test shows a step with the reason, also when no step was reached.
func failTest(test *Test, err error, record ladder.Observer) {
	test.State = TestFailed
	var failed *ladder.Error
	if !errors.As(err, &failed) {
		failed = &ladder.Error{Step: ladder.Resolve, Fault: ladder.Fault{
			Code: "orbit", Cause: "Orbit could not begin: " + err.Error(), Who: ladder.You, Remedy: "Correct what the sentence above names and test again.",
		}}
	}
	if test.Fault() == nil {
		record(ladder.Step{Name: failed.Step, Title: "Preparation", Started: time.Now(), Done: true, Fault: &failed.Fault})
	}
	test.Reply = failed.Fault.Reply
}

// withStep appends a step that began, or replaces the running one by its end.
func withStep(steps []ladder.Step, step ladder.Step) []ladder.Step {
	if n := len(steps); n > 0 && !steps[n-1].Done && steps[n-1].Name == step.Name {
		steps[n-1] = step
		return steps
	}
	return append(steps, step)
}

// startTest begins a test and lets Run go on with it after the request.
func (s *Service) startTest(ctx context.Context, begin func() error, run func(context.Context) error) error {
	if !s.tests.reserve() {
		return problem.Refuse(tooManyTestsNow)
	}
	if err := begin(); err != nil {
		s.tests.release()
		return err
	}
	actor := audit.ActorFrom(ctx)
	s.tests.jobs <- func(ctx context.Context) {
		defer s.tests.release()
		if err := run(audit.WithActor(ctx, actor)); err != nil {
			s.log.ErrorContext(ctx, "record a test", "error", err)
		}
	}
	return nil
}

// Run performs the tests that pages start, until ctx ends; then it cancels them and waits.
func (s *Service) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	abandoned, sweep := time.NewTicker(closeInterval), time.NewTicker(sweepInterval)
	defer abandoned.Stop()
	defer sweep.Stop()
	s.closeAbandoned(ctx)
	s.sweepTests(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-abandoned.C:
			s.closeAbandoned(ctx)
		case <-sweep.C:
			s.sweepTests(ctx)
		case job := <-s.tests.jobs:
			running.Go(func() { job(ctx) })
		}
	}
}

// closeAbandoned ends the tests of processes that were killed, this one's earlier run or another. Every process looks
// for them, so that nobody watches a test for longer than half a minute that nobody runs.
func (s *Service) closeAbandoned(ctx context.Context) {
	for _, table := range []testTable{smtpTests, mailboxTests} {
		if err := endAbandonedTests(ctx, s.pool, table); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "end tests of an earlier run", "error", err)
		}
	}
}

// sweepTests forgets old tests.
func (s *Service) sweepTests(ctx context.Context) {
	if err := s.forgetOldTests(ctx); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "forget old tests", "error", err)
	}
}

// forgetOldTests keeps the history as long as the e-mails that were sent or received.
func (s *Service) forgetOldTests(ctx context.Context) error {
	parameters, err := s.settings.Application(ctx)
	if err != nil {
		return err
	}
	before := func(days int) time.Time { return time.Now().AddDate(0, 0, -days) }
	return errors.Join(
		deleteOldTests(ctx, s.pool, smtpTests, before(parameters.SentRetentionDays)),
		deleteOldTests(ctx, s.pool, mailboxTests, before(parameters.ReceivedRetentionDays)),
	)
}

// testRuns hands tests from the pages to Run.
type testRuns struct {
	jobs  chan func(context.Context)
	slots chan struct{}
}

func newTestRuns() testRuns {
	return testRuns{jobs: make(chan func(context.Context), maxTestsAtOnce), slots: make(chan struct{}, maxTestsAtOnce)}
}

func (t testRuns) reserve() bool {
	select {
	case t.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

func (t testRuns) release() { <-t.slots }

// TestsRunning is how many tests started by pages run in this process.
func (s *Service) TestsRunning() int { return len(s.tests.slots) }

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
