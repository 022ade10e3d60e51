package notify

import (
	"context"

	"github.com/jackc/pgx/v5"

	"orbit/internal/account"
	"orbit/internal/mail/ladder"
	"orbit/internal/postgres"
)

// alarmAfter is how many failures in a row make an alarm, where the trouble may heal by itself. Trouble that needs
// somebody is told at once.
const alarmAfter = 3

// tellFailing posts the event that an account does not work, once until it works again. It leaves through any account
// but that one; the bell and webhooks tell of it in any case.
func (s *Service) tellFailing(ctx context.Context, a account.SMTP, fault ladder.Fault) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		first, err := markAlarmed(ctx, tx, a.ID)
		if err != nil || !first {
			return err
		}
		_, err = s.PostTx(ctx, tx, Event{
			Type: "orbit.account_failing", AvoidAccountID: a.ID,
			Data: map[string]any{"subject_name": a.AccountName, "error": fault.Cause, "remedy": fault.Remedy, "url_open": s.page("/settings/notifications/smtp")},
		})
		return err
	})
}

func (s *Service) tellRecovered(ctx context.Context, a account.SMTP) error {
	_, err := s.Post(ctx, Event{
		Type: "orbit.account_recovered",
		Data: map[string]any{"subject_name": a.AccountName, "error": "It works again.", "url_open": s.page("/settings/notifications/smtp")},
	})
	return err
}

// page is the address of a page.
func (s *Service) page(path string) string { return s.baseURL.JoinPath(path).String() }
