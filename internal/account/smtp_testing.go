package account

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/credential"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/submit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// What the test window is filled in with (FIELDS.md section 2).
const (
	TestSubject = "TEST MESSAGE!"
	TestMessage = "ATTENTION: THIS IS A TEST MESSAGE!"
)

const maxTestMessage = 100_000

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
	prepared, err := s.prepareSMTPTest(ctx, r)
	if err != nil {
		return SMTPTest{}, err
	}
	test, err := s.beginSMTPTest(ctx, prepared)
	if err != nil {
		return SMTPTest{}, err
	}
	return s.runSMTPTest(ctx, test, prepared, observe)
}

// StartSMTPTest begins a test that goes on after the request; Run must be running. FindSMTPTest shows how far it is.
func (s *Service) StartSMTPTest(ctx context.Context, r SMTPTestRequest) (test SMTPTest, err error) {
	prepared, err := s.prepareSMTPTest(ctx, r)
	if err != nil {
		return SMTPTest{}, err
	}
	begin := func() error {
		test, err = s.beginSMTPTest(ctx, prepared)
		return err
	}
	return test, s.startTest(ctx, begin, func(ctx context.Context) error {
		_, err := s.runSMTPTest(ctx, test, prepared, nil)
		return err
	})
}

// FindSMTPTest returns a test as far as it is, or problem.ErrNotFound.
func (s *Service) FindSMTPTest(ctx context.Context, id int64) (SMTPTest, error) {
	return findTest[SMTPTest](ctx, s.pool, smtpTests, id)
}

// ListSMTPTests returns the newest tests of an account, at most 50.
func (s *Service) ListSMTPTests(ctx context.Context, accountID int64) ([]SMTPTest, error) {
	return listTests[SMTPTest](ctx, s.pool, smtpTests, accountID)
}

func (s *Service) prepareSMTPTest(ctx context.Context, r SMTPTestRequest) (preparedTest, error) {
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

// beginSMTPTest writes the row that the page and the history show.
func (s *Service) beginSMTPTest(ctx context.Context, p preparedTest) (test SMTPTest, err error) {
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		test, err = insertSMTPTest(ctx, tx, SMTPTest{
			Test:          Test{AccountName: p.change.AccountName, StartedBy: audit.ActorFrom(ctx).Name},
			SMTPAccountID: p.accountID, Recipient: p.content.To[0], Subject: p.content.Subject,
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

// runSMTPTest delivers and records.
func (s *Service) runSMTPTest(ctx context.Context, test SMTPTest, p preparedTest, observe ladder.Observer) (SMTPTest, error) {
	visit := func(ctx context.Context, observe ladder.Observer) (string, error) {
		result, err := s.deliver(ctx, p, observe)
		test.MessageID = result.MessageID
		if err := saveMessageID(context.WithoutCancel(ctx), s.pool, test.ID, test.MessageID); err != nil {
			s.log.WarnContext(ctx, "record what a test sent", "test", test.ID, "error", err)
		}
		return result.Reply, err
	}
	err := s.try(ctx, trial{&test.Test, smtpTests, p.change.access(), TestDelivered, visit}, observe)
	return test, err
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
