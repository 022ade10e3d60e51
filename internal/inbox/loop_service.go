package inbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/account"
	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// StartLoop begins a loop test; a process that runs sends it within moments. FindLoop shows how far it is.
func (s *Service) StartLoop(ctx context.Context, r LoopRequest) (Loop, error) {
	prepared, err := s.prepareLoop(ctx, r)
	if err != nil {
		return Loop{}, err
	}
	prepared.StartedBy = audit.ActorFrom(ctx).Name
	return insertLoop(ctx, s.pool, prepared, newNonce())
}

// FindLoop returns a loop test as far as it is, or problem.ErrNotFound.
func (s *Service) FindLoop(ctx context.Context, id int64) (Loop, error) {
	return selectLoop(ctx, s.pool, id)
}

// Loops returns the newest loop tests of a mailbox, newest first: enough for a graph.
func (s *Service) Loops(ctx context.Context, accountID int64) ([]Loop, error) {
	return selectLoops(ctx, s.pool, accountID)
}

// LoopSchedules returns what is repeated for a mailbox.
func (s *Service) LoopSchedules(ctx context.Context, accountID int64) ([]LoopSchedule, error) {
	return selectSchedules(ctx, s.pool, accountID)
}

// Bounds of a schedule, in minutes.
const (
	leastEvery = 5
	mostEvery  = 7 * 24 * 60
)

// SaveLoopSchedule repeats a loop test every so many minutes. The first one begins now.
func (s *Service) SaveLoopSchedule(ctx context.Context, schedule LoopSchedule) (stored LoopSchedule, err error) {
	if schedule.EveryMinutes < leastEvery || schedule.EveryMinutes > mostEvery {
		return LoopSchedule{}, problem.Invalid{{Name: "every_minutes", Text: fmt.Sprintf("Enter a number of minutes from %d to %d.", leastEvery, mostEvery)}}
	}
	prepared, err := s.prepareLoop(ctx, LoopRequest{MailboxID: schedule.MailboxID, SMTPAccountID: schedule.SMTPAccountID, Address: schedule.Address})
	if err != nil {
		return LoopSchedule{}, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if stored, err = upsertSchedule(ctx, tx, schedule); err != nil {
			return err
		}
		return s.recordSchedule(ctx, tx, schedule.MailboxID, map[string]any{
			"smtp_account": prepared.SMTPAccountName, "address": prepared.Address, "every_minutes": schedule.EveryMinutes,
		})
	})
	return stored, err
}

// EndLoopSchedule repeats a loop test no more. When nothing was repeated, nothing is recorded.
func (s *Service) EndLoopSchedule(ctx context.Context, mailboxID, smtpAccountID int64) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		ended, err := deleteSchedule(ctx, tx, mailboxID, smtpAccountID)
		if err != nil || !ended {
			return err
		}
		return s.recordSchedule(ctx, tx, mailboxID, map[string]any{"smtp_account_id": smtpAccountID, "every_minutes": 0})
	})
}

func (s *Service) recordSchedule(ctx context.Context, tx pgx.Tx, mailboxID int64, detail map[string]any) error {
	mailbox, err := s.accounts.FindMailbox(ctx, mailboxID)
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{
		Action: "mailbox_account.loop_test_repeated", Object: "mailbox_account", ObjectID: mailboxID, ObjectName: mailbox.AccountName, Detail: detail,
	})
}

// prepareLoop finds what is asked for, and says all that is wrong with it.
func (s *Service) prepareLoop(ctx context.Context, r LoopRequest) (Loop, error) {
	mailbox, err := s.accounts.FindMailbox(ctx, r.MailboxID)
	if err != nil {
		return Loop{}, err
	}
	sender, err := s.accounts.FindSMTP(ctx, r.SMTPAccountID)
	var wrong problem.Invalid
	switch {
	case errors.Is(err, problem.ErrNotFound):
		wrong.Add("smtp_account_id", "Choose the SMTP account that sends the message.")
	case err != nil:
		return Loop{}, err
	case !sender.Active:
		wrong.Add("smtp_account_id", "%s is disabled; choose another SMTP account, or enable it.", sender.AccountName)
	}
	if !mailbox.Active {
		wrong.Add("mailbox_account_id", "%s is disabled; enable it first.", mailbox.AccountName)
	}
	address := strings.TrimSpace(r.Address)
	if address == "" {
		address = s.addressOf(ctx, mailbox)
	}
	if !strings.Contains(address, "@") {
		wrong.Add("address", "Enter the address whose mail arrives in this mailbox: its username is none.")
	}
	return Loop{MailboxID: mailbox.ID, SMTPAccountID: sender.ID, SMTPAccountName: sender.AccountName, Address: address}, wrong.Err()
}

// addressOf is the username that the mailbox is opened with; most are addresses.
func (s *Service) addressOf(ctx context.Context, m account.Mailbox) string {
	route, err := s.accounts.MailboxRoute(ctx, account.MailboxChange{MailboxSettings: m.MailboxSettings})
	if err != nil {
		return ""
	}
	return route.Server.Auth.Username
}

// newNonce makes a word that nobody can guess: who knows it has the message.
func newNonce() string { return strings.ToLower(rand.Text()) }
