package notify

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// Action is what a person does with messages.
type Action string

// The actions.
const (
	Pause  Action = "pause"
	Resume Action = "resume"
	Retry  Action = "retry" // now, also what was given up
	Cancel Action = "cancel"
)

// Act does something with messages and returns how many it was done with. Those in a sender's hands, and those whose
// state does not allow it, stay as they are.
func (s *Service) Act(ctx context.Context, action Action, ids []int64) (int, error) {
	return s.act(ctx, action, listQuery{where: []string{"delivery.id = any(@ids)"}, args: pgx.NamedArgs{"ids": ids}}, map[string]any{"deliveries": ids})
}

// ActAll does something with every message that a filter chooses.
func (s *Service) ActAll(ctx context.Context, action Action, f Filter) (int, error) {
	f.After = ""
	q, err := f.query()
	if err != nil {
		return 0, err
	}
	return s.act(ctx, action, q, map[string]any{"filter": fmt.Sprintf("%+v", f)})
}

// change is an action in SQL: which messages it fits, and what it sets.
type change struct{ fits, set, past string }

var changes = map[Action]change{
	Pause:  {"waiting", "state = 'paused', waiting = false", "Paused"},
	Resume: {"state = 'paused'", "state = case when attempts > 0 then 'retrying' else 'queued' end, waiting = true, due_at = now()", "Resumed"},
	Retry: {
		"state in ('retrying', 'failed', 'cancelled', 'uncertain', 'expired') and (expires_at > now() or expires_at >= gives_up_at)",
		`state = 'retrying', waiting = true, due_at = now(), attempts = 0, doubts = 0, ended_at = null, fault = null,
			expires_at = case when expires_at >= gives_up_at then now() + interval '5 days' else expires_at end, gives_up_at = now() + interval '5 days'`,
		"Tried again",
	},
	Cancel: {"(waiting or state = 'paused')", "state = 'cancelled', waiting = false, ended_at = now()", "Cancelled"},
}

func (s *Service) act(ctx context.Context, action Action, q listQuery, detail map[string]any) (n int, err error) {
	c, known := changes[action]
	if !known {
		return 0, problem.Invalid{{Name: "action", Text: "The actions are pause, resume, retry and cancel."}}
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if n, err = changeDeliveries(ctx, tx, c, q, audit.ActorFrom(ctx).Name); err != nil || n == 0 {
			return err
		}
		if action == Resume || action == Retry {
			if _, err := s.jobs.InsertTx(ctx, tx, sendArgs{Deliveries: n}, &river.InsertOpts{Queue: queueUrgent}); err != nil {
				return fmt.Errorf("wake the senders: %w", err)
			}
		}
		detail["messages"] = n
		return audit.Record(ctx, tx, audit.Entry{Action: "delivery." + string(action), Object: "delivery", Detail: detail})
	})
	return n, err
}

// CancelRequestTx cancels what still waits about an access request: nobody needs it any more.
func (s *Service) CancelRequestTx(ctx context.Context, tx pgx.Tx, accessRequestID int64) (int, error) {
	q := listQuery{where: []string{"access_request_id = @request", "access_request_id <> 0"}, args: pgx.NamedArgs{"request": accessRequestID}}
	return changeDeliveries(ctx, tx, changes[Cancel], q, audit.ActorFrom(ctx).Name)
}

func changeDeliveries(ctx context.Context, tx pgx.Tx, c change, q listQuery, by string) (int, error) {
	where := append([]string{c.fits, "claimed_by is null"}, q.where...)
	q.args["past"], q.args["by"] = c.past, by
	tag, err := tx.Exec(ctx, `
		with changed as (
			update delivery
			set `+c.set+`
			where `+strings.Join(where, " and ")+`
			returning id
		)
		insert into delivery_note (delivery_id, kind, text, by)
		select id, 'action', @past, @by
		from changed`, q.args)
	if err != nil {
		return 0, fmt.Errorf("change messages: %w", err)
	}
	return int(tag.RowsAffected()), nil
}

// NoteTx writes on a message's time line what another feature knows of it.
func (s *Service) NoteTx(ctx context.Context, tx pgx.Tx, deliveryID int64, kind NoteKind, text, by string) error {
	_, err := tx.Exec(ctx, "insert into delivery_note (delivery_id, kind, text, by) values ($1, $2, $3, $4)", deliveryID, kind, text, by)
	if err != nil {
		return fmt.Errorf("write a note on message %d: %w", deliveryID, err)
	}
	return nil
}
