package approval

import (
	"context"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// Cancel withdraws a request that is not decided yet, for who asked.
func (s *Service) Cancel(ctx context.Context, id int64, because string) (Whole, error) {
	return s.withdraw(ctx, id, Pending, Cancelled, because)
}

// Revoke takes an access back that was approved and has not ended.
func (s *Service) Revoke(ctx context.Context, id int64, because string) (Whole, error) {
	return s.withdraw(ctx, id, Approved, Revoked, because)
}

// RevokeAsUser lets one of the approvers revoke.
func (s *Service) RevokeAsUser(ctx context.Context, id, userID int64, because string) (Whole, error) {
	whole, err := s.Find(ctx, id)
	if err != nil {
		return Whole{}, err
	}
	if approver, ok := whole.ApproverFor(userID); !ok || sameAddress(approver.Email, whole.RequesterEmail) {
		return Whole{}, problem.ErrForbidden
	}
	return s.Revoke(ctx, id, because)
}

func (s *Service) withdraw(ctx context.Context, id int64, from, to Status, because string) (whole Whole, err error) {
	var wrong problem.Invalid
	if checkText(&wrong, "justification", because, maxLong); to == Revoked && because == "" {
		wrong.Add("justification", "Say why: the requester reads it.")
	}
	if err := wrong.Err(); err != nil {
		return Whole{}, err
	}
	by := audit.ActorFrom(ctx).Name
	err = postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
		if whole, err = findWhole(ctx, tx, id, true); err != nil {
			return err
		}
		switch {
		case whole.Status != from:
			return problem.Refuse("The request %s is %s; only one that is %s can be %s.", whole.Code(), whole.Status, from, to)
		case to == Revoked && !whole.End.After(s.now()):
			return problem.Refuse("The access of the request %s has ended already.", whole.Code())
		}
		asked := whole.Approvers
		if err := s.end(ctx, tx, &whole, to, by, because); err != nil {
			return err
		}
		if err := s.tellWithdrawn(ctx, tx, whole, asked); err != nil {
			return err
		}
		return s.record(ctx, tx, whole, "access_request."+string(to), map[string]any{"because": because})
	})
	return whole, err
}

// tellWithdrawn tells the requester, and after a cancellation those who were asked in vain.
func (s *Service) tellWithdrawn(ctx context.Context, tx pgx.Tx, w Whole, asked []Approver) error {
	last := Decision{ApproverName: w.EndedBy, Justification: w.EndedBecause, DecidedAt: *w.EndedAt}
	if err := s.tellRequester(ctx, tx, w, "access_request."+string(w.Status)+".requester", last); err != nil {
		return err
	}
	for _, a := range asked {
		if _, decided := w.decisionOf(a.ID); w.Status != Cancelled || decided || a.NotifiedAt == nil {
			continue
		}
		if err := s.tellApprover(ctx, tx, w, a, "access_request.cancelled.approver"); err != nil {
			return err
		}
	}
	return s.post(ctx, tx, w, "access_request."+string(w.Status))
}
