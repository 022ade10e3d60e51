package inbox

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/mail/reply"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// Act has a stored message acted upon that was left alone because it was there before the account, or on which the
// handlers failed. It happens once, whoever asks.
func (s *Service) Act(ctx context.Context, id int64) (r Row, err error) {
	found, err := selectMessage(ctx, s.pool, id)
	if err != nil {
		return Row{}, err
	}
	read, err := s.readAgain(ctx, found)
	if err != nil {
		return Row{}, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if r, err = lockMessage(ctx, tx, id); err != nil {
			return err
		}
		if r.Handling != TooOld && r.Handling != NotHandled || !r.Complete {
			return problem.Refuse("This message was dealt with when it came.")
		}
		r.Handling, r.Outcome = Nobody, ""
		if err := s.offer(ctx, tx, Received{Row: r, Read: read}, &r); err != nil {
			return err
		}
		if err := updateHandling(ctx, tx, r); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{
			Action: "inbound_message.acted_upon", Object: "inbound_message", ObjectID: r.ID, ObjectName: r.Subject,
			Detail: map[string]any{"handling": string(r.Handling), "outcome": r.Outcome},
		})
	})
	return r, err
}

// readAgain judges a stored message as when it came.
func (s *Service) readAgain(ctx context.Context, r Row) (reply.Message, error) {
	m, err := s.accounts.FindMailbox(ctx, r.AccountID)
	if err != nil {
		return reply.Message{}, err
	}
	own, err := s.ownAddresses(ctx)
	if err != nil {
		return reply.Message{}, err
	}
	return reply.Read(s.raw(ctx, r.ID), reply.Options{
		Sent: func(id string) bool { return s.sent(ctx, own, id) != "" }, Own: own.has, AuthservID: m.AuthservID, Token: s.token,
	})
}

func lockMessage(ctx context.Context, tx pgx.Tx, id int64) (Row, error) {
	return oneRow[Row](tx.Query(ctx, "select "+messageColumns+" from inbound_message where id = @id for update", pgx.NamedArgs{"id": id}))
}

func updateHandling(ctx context.Context, tx pgx.Tx, r Row) error {
	_, err := tx.Exec(ctx, "update inbound_message set handling = @handling, outcome = @outcome where id = @id",
		pgx.NamedArgs{"id": r.ID, "handling": r.Handling, "outcome": r.Outcome})
	if err != nil {
		return fmt.Errorf("store what became of message %d: %w", r.ID, err)
	}
	return nil
}
