package account

import (
	"context"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/credential"
	"orbit/internal/mail/fetch"
	"orbit/internal/mail/ladder"
	"orbit/internal/postgres"
)

// MailboxTestRequest asks for a test of a stored account, or of values that are not saved yet.
type MailboxTestRequest struct {
	AccountID int64
	Unsaved   *MailboxChange // wins over AccountID
}

// preparedMailboxTest is a request whose account is known and whose values are right.
type preparedMailboxTest struct {
	accountID int64
	change    MailboxChange
	mailbox   string // who signs in
}

// TestMailbox runs a test to its end; observe (may be nil) sees each step. The error is only about the request: a
// mailbox that did not open is a test with a fault.
func (s *Service) TestMailbox(ctx context.Context, r MailboxTestRequest, observe ladder.Observer) (MailboxTest, error) {
	prepared, err := s.prepareMailboxTest(ctx, r)
	if err != nil {
		return MailboxTest{}, err
	}
	test, err := s.beginMailboxTest(ctx, prepared)
	if err != nil {
		return MailboxTest{}, err
	}
	return s.runMailboxTest(ctx, test, prepared, observe)
}

// StartMailboxTest begins a test that goes on after the request; Run must be running. FindMailboxTest shows how far
// it is.
func (s *Service) StartMailboxTest(ctx context.Context, r MailboxTestRequest) (test MailboxTest, err error) {
	prepared, err := s.prepareMailboxTest(ctx, r)
	if err != nil {
		return MailboxTest{}, err
	}
	begin := func() error {
		test, err = s.beginMailboxTest(ctx, prepared)
		return err
	}
	return test, s.startTest(ctx, begin, func(ctx context.Context) error {
		_, err := s.runMailboxTest(ctx, test, prepared, nil)
		return err
	})
}

// FindMailboxTest returns a test as far as it is, or problem.ErrNotFound.
func (s *Service) FindMailboxTest(ctx context.Context, id int64) (MailboxTest, error) {
	return findTest[MailboxTest](ctx, s.pool, mailboxTests, id)
}

// ListMailboxTests returns the newest tests of an account, at most 50.
func (s *Service) ListMailboxTests(ctx context.Context, accountID int64) ([]MailboxTest, error) {
	return listTests[MailboxTest](ctx, s.pool, mailboxTests, accountID)
}

func (s *Service) prepareMailboxTest(ctx context.Context, r MailboxTestRequest) (p preparedMailboxTest, err error) {
	p.accountID = r.AccountID
	if r.Unsaved != nil {
		p.change = *r.Unsaved
		p.change.MailboxSettings = p.change.Normalise()
		if err := p.change.Validate().Err(); err != nil {
			return p, err
		}
	} else {
		found, err := s.FindMailbox(ctx, r.AccountID)
		if err != nil {
			return p, err
		}
		p.change = MailboxChange{MailboxSettings: found.MailboxSettings}
	}
	p.mailbox, err = s.username(ctx, p.change.access())
	return p, err
}

// beginMailboxTest writes the row that the page and the history show.
func (s *Service) beginMailboxTest(ctx context.Context, p preparedMailboxTest) (test MailboxTest, err error) {
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		test, err = insertMailboxTest(ctx, tx, MailboxTest{
			Test:             Test{AccountName: p.change.AccountName, StartedBy: audit.ActorFrom(ctx).Name},
			MailboxAccountID: p.accountID, Protocol: p.change.Protocol, Mailbox: p.mailbox,
		})
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{
			Action: "mailbox_account.tested", Object: "mailbox_account", ObjectID: p.accountID, ObjectName: p.change.AccountName,
			Detail: map[string]any{"test": test.ID, "server": p.change.Server(), "saved": p.accountID != 0},
		})
	})
	return test, err
}

// runMailboxTest opens the mailbox, leaves it as it is, and records.
func (s *Service) runMailboxTest(ctx context.Context, test MailboxTest, p preparedMailboxTest, observe ladder.Observer) (MailboxTest, error) {
	visit := func(ctx context.Context, observe ladder.Observer) (string, error) {
		ctx = credential.WithReason(ctx, "test of IMAP/POP3 account "+p.change.AccountName)
		route, err := s.MailboxRoute(ctx, p.change)
		if err != nil {
			return "", err
		}
		err = fetch.Test(ctx, route.Dialer, route.Server, observe)
		return test.found(), err
	}
	err := s.try(ctx, trial{&test.Test, mailboxTests, p.change.access(), TestOpened, visit}, observe)
	return test, err
}

// found is what the mailbox holds, in the words of its step.
func (t MailboxTest) found() string {
	for _, step := range t.Steps {
		if step.Name == ladder.Select {
			return step.Result
		}
	}
	return ""
}
