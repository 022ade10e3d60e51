package account

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"orbit/internal/audit"
	"orbit/internal/credential"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/submit"
	"orbit/internal/postgres"
	"orbit/internal/problem"

	"github.com/jackc/pgx/v5"
)

// What the test window is filled in with (FIELDS.md section 2).
const (
	TestSubject = "TEST MESSAGE!"
	TestMessage = "ATTENTION: THIS IS A TEST MESSAGE!"
)

const (
	maxTestTime     = 15 * time.Minute // the end of DATA alone may take 10 (RFC 5321 4.5.3.2.6)
	sweepInterval   = time.Minute
	maxTestMessage  = 100_000
	maxTestsAtOnce  = 20
	historyPerPage  = 50
	abandonedTest   = "The test was interrupted: Orbit stopped while it ran. Test again."
	tooManyTestsNow = "Many tests are running already. Wait until one has ended."
)

// SMTPTestRequest asks for a test of a stored account, or of values that are not saved yet.
type SMTPTestRequest struct {
	AccountID int64
	Unsaved   *SMTPChange // wins over AccountID
	To        string
	Subject   string // empty: TestSubject
	Message   string // empty: TestMessage
}

// preparedTest is a request whose account is known and whose values are right.
type preparedTest struct {
	accountID int64
	change    SMTPChange
	content   Content
}

// TestSMTP runs a test to its end; observe (may be nil) sees each step. The error is only about the
// request: a delivery that failed is a test with a fault.
func (s *Service) TestSMTP(ctx context.Context, r SMTPTestRequest, observe ladder.Observer) (SMTPTest, error) {
	prepared, err := s.prepareTest(ctx, r)
	if err != nil {
		return SMTPTest{}, err
	}
	test, err := s.beginTest(ctx, prepared)
	if err != nil {
		return SMTPTest{}, err
	}
	return s.runTest(ctx, test, prepared, observe)
}

// StartSMTPTest begins a test that goes on after the request; Run must be running. FindSMTPTest shows how far it is.
func (s *Service) StartSMTPTest(ctx context.Context, r SMTPTestRequest) (SMTPTest, error) {
	prepared, err := s.prepareTest(ctx, r)
	if err != nil {
		return SMTPTest{}, err
	}
	if !s.tests.reserve() {
		return SMTPTest{}, problem.Refuse(tooManyTestsNow)
	}
	test, err := s.beginTest(ctx, prepared)
	if err != nil {
		s.tests.release()
		return SMTPTest{}, err
	}
	actor := audit.ActorFrom(ctx)
	s.tests.jobs <- func(ctx context.Context) {
		defer s.tests.release()
		if _, err := s.runTest(audit.WithActor(ctx, actor), test, prepared, nil); err != nil {
			s.log.ErrorContext(ctx, "record a test", "test", test.ID, "error", err)
		}
	}
	return test, nil
}

func (s *Service) prepareTest(ctx context.Context, r SMTPTestRequest) (preparedTest, error) {
	prepared := preparedTest{accountID: r.AccountID}
	if r.Unsaved != nil {
		prepared.change = *r.Unsaved
		prepared.change.SMTPSettings = prepared.change.Normalise()
		if err := prepared.change.Validate().Err(); err != nil {
			return preparedTest{}, err
		}
	} else {
		found, err := s.FindSMTP(ctx, r.AccountID)
		if err != nil {
			return preparedTest{}, err
		}
		prepared.change = SMTPChange{SMTPSettings: found.SMTPSettings}
	}
	prepared.content = Content{
		To:      []string{strings.TrimSpace(r.To)},
		Subject: or(strings.TrimSpace(r.Subject), TestSubject),
		Text:    or(r.Message, TestMessage),
	}
	return prepared, prepared.content.validateTest()
}

func (c Content) validateTest() error {
	var invalid problem.Invalid
	checkAddress(&invalid, "to", "Send to", c.To[0], true)
	checkText(&invalid, "subject", "Subject", c.Subject, 200, true)
	if len(c.Text) > maxTestMessage {
		invalid.Add("message", "The message may have at most %d characters.", maxTestMessage)
	}
	return invalid.Err()
}

// beginTest writes the row that the page and the history show.
func (s *Service) beginTest(ctx context.Context, p preparedTest) (SMTPTest, error) {
	var test SMTPTest
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) (err error) {
		test, err = insertSMTPTest(ctx, tx, SMTPTest{
			SMTPAccountID: p.accountID, AccountName: p.change.AccountName,
			Recipient: p.content.To[0], Subject: p.content.Subject, StartedBy: audit.ActorFrom(ctx).Name,
		})
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{
			Action: "smtp_account.tested", Object: "smtp_account", ObjectID: p.accountID, ObjectName: p.change.AccountName,
			Detail: map[string]any{"test": test.ID, "to": test.Recipient, "server": p.change.Address(), "saved": p.accountID != 0},
		})
	})
	return test, err
}

// runTest delivers and records. Each step is written when it changes, so that any process can show it.
func (s *Service) runTest(ctx context.Context, test SMTPTest, p preparedTest, observe ladder.Observer) (SMTPTest, error) {
	deadline, cancel := context.WithTimeout(ctx, maxTestTime)
	defer cancel()
	record := func(step ladder.Step) {
		step = s.behindOwn(deadline, p.change.access(), step)
		test.Steps = withStep(test.Steps, step)
		if err := saveTestSteps(ctx, s.pool, test); err != nil {
			s.log.WarnContext(ctx, "record a test step", "test", test.ID, "error", err)
		}
		if observe != nil {
			observe(step)
		}
	}
	result, err := s.deliver(deadline, p, record)
	test.State, test.MessageID, test.Reply, test.Server = TestDelivered, result.MessageID, result.Reply, p.change.SMTPHost
	if err != nil {
		test = failTest(test, err, record)
	}
	now := time.Now()
	test.EndedAt = &now
	return test, endSMTPTest(context.WithoutCancel(ctx), s.pool, test)
}

func (s *Service) deliver(ctx context.Context, p preparedTest, observe ladder.Observer) (submit.Result, error) {
	parameters, err := s.settings.Application(ctx)
	if err != nil {
		return submit.Result{}, err
	}
	ctx = credential.WithReason(ctx, "test of SMTP account "+p.change.AccountName)
	route, err := s.Route(ctx, p.change)
	if err != nil {
		return submit.Result{}, err
	}
	return submit.Deliver(ctx, route.Dialer, route.Server, Compose(p.change.SMTPSettings, p.content, parameters.FooterText), observe)
}

// failTest makes sure that a failed test shows a step with the reason, also when no step was reached.
func failTest(test SMTPTest, err error, record ladder.Observer) SMTPTest {
	test.State = TestFailed
	var failed *ladder.Error
	if !errors.As(err, &failed) {
		failed = &ladder.Error{Step: ladder.Resolve, Fault: ladder.Fault{
			Code: "orbit", Cause: "Orbit could not begin: " + err.Error(), Who: ladder.You, Remedy: "Correct what the sentence above names and test again.",
		}}
	}
	test.Reply = failed.Fault.Reply
	if test.Fault() == nil {
		now := time.Now()
		step := ladder.Step{Name: failed.Step, Title: "Preparation", Started: now, Done: true, Fault: &failed.Fault}
		record(step)
		test.Steps = withStep(test.Steps, step)
	}
	return test
}

// withStep appends a step that began, or replaces the running one by its end.
func withStep(steps []ladder.Step, step ladder.Step) []ladder.Step {
	if n := len(steps); n > 0 && !steps[n-1].Done && steps[n-1].Name == step.Name {
		steps[n-1] = step
		return steps
	}
	return append(steps, step)
}

// FindSMTPTest returns a test as far as it is, or problem.ErrNotFound.
func (s *Service) FindSMTPTest(ctx context.Context, id int64) (SMTPTest, error) {
	return findSMTPTest(ctx, s.pool, id)
}

// ListSMTPTests returns the newest tests of an account, at most 50.
func (s *Service) ListSMTPTests(ctx context.Context, accountID int64) ([]SMTPTest, error) {
	return listSMTPTests(ctx, s.pool, accountID, historyPerPage)
}

// Run performs the tests that pages start, until ctx ends; then it cancels them and waits.
func (s *Service) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	sweep := time.NewTicker(sweepInterval)
	defer sweep.Stop()
	s.closeAbandoned(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
			s.closeAbandoned(ctx)
		case job := <-s.tests.jobs:
			running.Go(func() { job(ctx) })
		}
	}
}

// closeAbandoned ends the tests of processes that were killed, this one's earlier run or another. No test
// takes that long, so what still counts as running is nobody's.
func (s *Service) closeAbandoned(ctx context.Context) {
	if err := endAbandonedTests(ctx, s.pool, time.Now().Add(-maxTestTime)); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "end tests of an earlier run", "error", err)
	}
	if err := s.forgetOldTests(ctx); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "forget old tests", "error", err)
	}
}

// forgetOldTests keeps the history as long as sent e-mails are kept.
func (s *Service) forgetOldTests(ctx context.Context) error {
	parameters, err := s.settings.Application(ctx)
	if err != nil {
		return err
	}
	return deleteOldTests(ctx, s.pool, time.Now().AddDate(0, 0, -parameters.SentRetentionDays))
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

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// TestsRunning is how many tests started by pages run in this process.
func (s *Service) TestsRunning() int { return len(s.tests.slots) }
