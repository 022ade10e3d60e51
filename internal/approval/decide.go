package approval

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// Decide is a decision as it comes in.
type Decide struct {
	Answer        Answer
	Justification string
	Start, End    time.Time // a shorter period; zero: as asked for
	Address       string    // where it came from
}

// Validate returns every problem at once.
func (d Decide) Validate() problem.Invalid {
	var wrong problem.Invalid
	if d.Answer != Approve && d.Answer != Reject {
		wrong.Add("answer", "Choose approve or reject.")
	}
	if d.Answer == Reject && d.Justification == "" {
		wrong.Add("justification", "Say why: the requester reads it.")
	}
	checkText(&wrong, "justification", d.Justification, maxLong)
	return wrong
}

// DecideAsUser decides a request for a user who is signed in.
func (s *Service) DecideAsUser(ctx context.Context, requestID, userID int64, d Decide) (whole Whole, err error) {
	if err := d.Validate().Err(); err != nil {
		return Whole{}, err
	}
	err = postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
		if whole, err = findWhole(ctx, tx, requestID, true); err != nil {
			return err
		}
		approver, ok := whole.ApproverFor(userID)
		if !ok {
			return problem.ErrForbidden
		}
		return s.decide(ctx, tx, &whole, approver, d, Page)
	})
	return whole, err
}

// Look shows what a decision link leads to. It changes nothing, however often it is asked.
func (s *Service) Look(ctx context.Context, token vault.Secret) (Whole, Approver, error) {
	found, err := findToken(ctx, s.Pool, token, linkToken)
	if err != nil {
		return Whole{}, Approver{}, err
	}
	whole, err := s.Find(ctx, found.RequestID)
	if err != nil {
		return Whole{}, Approver{}, err
	}
	approver, _ := whole.ApproverFor(found.UserID)
	return whole, approver, nil
}

// DecideByLink decides a request by the link of a mail. userID is who is signed in, 0 for nobody: it must be the
// approver whom the link was sent to, unless the group lets the link alone decide.
func (s *Service) DecideByLink(ctx context.Context, token vault.Secret, userID int64, d Decide) (whole Whole, err error) {
	if err := d.Validate().Err(); err != nil {
		return Whole{}, err
	}
	found, err := findToken(ctx, s.Pool, token, linkToken)
	if err != nil {
		return Whole{}, err
	}
	err = postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
		if whole, err = findWhole(ctx, tx, found.RequestID, true); err != nil {
			return err
		}
		approver, ok := whole.ApproverFor(found.UserID)
		way := Page
		switch {
		case !ok:
			return problem.ErrNotFound
		case userID == approver.UserID:
		case !whole.LinkAlone:
			return problem.ErrForbidden
		default:
			way = Link
		}
		if err := s.decide(ctx, tx, &whole, approver, d, way); err != nil {
			return err
		}
		return nil
	})
	return whole, err
}

// decide is where every decision is made. The request is locked.
func (s *Service) decide(ctx context.Context, tx pgx.Tx, w *Whole, a Approver, d Decide, way Way) error {
	if err := s.mayDecide(*w, a); err != nil {
		return err
	}
	if err := s.shorten(ctx, tx, w, d); err != nil {
		return err
	}
	decision := Decision{
		RequestID: w.ID, ApproverID: a.ID, ApproverName: a.Name, Level: w.Level, Answer: d.Answer,
		Justification: d.Justification, Way: way, DecidedAt: s.now(), Address: d.Address,
	}
	if err := insertDecision(ctx, tx, &decision); err != nil {
		return err
	}
	w.Decisions = append(w.Decisions, decision)
	if err := spendTokens(ctx, tx, a.ID, decision.DecidedAt); err != nil {
		return err
	}
	if err := s.advance(ctx, tx, w, decision); err != nil {
		return err
	}
	return s.record(ctx, tx, *w, "access_request."+string(decision.Answer), map[string]any{
		"approver": a.Name + " <" + a.Email + ">", "way": string(way), "level": decision.Level,
		"justification": decision.Justification, "status": string(w.Status),
	})
}

// WhyNot says why an approver can't decide a request now, in words for them; "" when they can.
func (s *Service) WhyNot(w Whole, a Approver) string {
	if err := s.mayDecide(w, a); err != nil {
		return err.Error()
	}
	return ""
}

// mayDecide says why an approver can't decide now, in words for them.
func (s *Service) mayDecide(w Whole, a Approver) error {
	if earlier, done := w.decisionOf(a.ID); done {
		return problem.Refuse("You have decided already: %s on %s.", earlier.Answer.past(), earlier.DecidedAt.UTC().Format("2 January 15:04 MST"))
	}
	switch {
	case sameAddress(a.Email, w.RequesterEmail):
		return problem.Refuse("Nobody decides an own request.")
	case w.Status != Pending:
		return problem.Refuse("There is nothing left to decide: the request is %s.", w.Status)
	case !s.now().Before(w.ExpiresAt):
		return problem.Refuse("The request has expired; it could be decided until %s.", w.ExpiresAt.UTC().Format("2 January 15:04 MST"))
	case a.NotifiedAt == nil:
		return problem.Refuse("Level %d is not reached yet; you will get a mail when it is.", a.Level)
	case a.Level != w.Level && a.Level != Escalation:
		return problem.Refuse("Your level has been decided already; the request is at level %d.", w.Level)
	}
	return nil
}

// past is the answer as something that has happened.
func (a Answer) past() string {
	if a == Approve {
		return "approved"
	}
	return "rejected"
}

// shorten applies the period that the approver has chosen: within the one that was asked for.
func (s *Service) shorten(ctx context.Context, tx pgx.Tx, w *Whole, d Decide) error {
	start, end := w.Start, w.End
	if !d.Start.IsZero() {
		start = d.Start
	}
	if !d.End.IsZero() {
		end = d.End
	}
	if start.Equal(w.Start) && end.Equal(w.End) || d.Answer != Approve {
		return nil
	}
	var wrong problem.Invalid
	switch {
	case !w.ApproverMayShorten:
		wrong.Add("end", "The period of this request can't be changed.")
	case start.Before(w.Start):
		wrong.Add("start", "An access can be made shorter, not longer: it starts at %s or later.", w.Start.UTC().Format(time.RFC3339))
	case end.After(w.End):
		wrong.Add("end", "An access can be made shorter, not longer: it ends at %s or before.", w.End.UTC().Format(time.RFC3339))
	case !end.After(start) || !end.After(s.now()):
		wrong.Add("end", "The access must end after it starts, and in the future.")
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	w.Start, w.End = start, end
	return updatePeriod(ctx, tx, w.ID, start, end)
}

// advance draws the consequence of a new decision: the request ends, its next level is asked, or it waits on.
func (s *Service) advance(ctx context.Context, tx pgx.Tx, w *Whole, last Decision) error {
	approvals, rejections := w.counts()
	switch {
	case rejections >= w.RejectionsToCancel || w.hopeless(approvals):
		return s.finish(ctx, tx, w, Rejected, last)
	case approvals < w.ApprovalsRequired:
		return nil
	case w.Level == w.Levels:
		return s.finish(ctx, tx, w, Approved, last)
	}
	w.Level++
	if err := updateLevel(ctx, tx, w.ID, w.Level); err != nil {
		return err
	}
	if err := s.askLevel(ctx, tx, w); err != nil {
		return err
	}
	if err := s.tellRequester(ctx, tx, *w, "access_request.level_advanced.requester", last); err != nil {
		return err
	}
	return s.post(ctx, tx, *w, "access_request.level_advanced")
}

// counts counts the decisions of the present level.
func (w Whole) counts() (approvals, rejections int) {
	for _, d := range w.Decisions {
		switch {
		case d.Level != w.Level:
		case d.Answer == Approve:
			approvals++
		default:
			rejections++
		}
	}
	return approvals, rejections
}

// hopeless reports whether too few are left to approve: after one of two has rejected, two can't approve any more.
func (w Whole) hopeless(approvals int) bool {
	left := 0
	for _, a := range w.Approvers {
		_, decided := w.decisionOf(a.ID)
		if !decided && (a.Level == w.Level || a.Level == Escalation) {
			left++
		}
	}
	return approvals+left < w.ApprovalsRequired
}

// finish ends a request by a decision.
func (s *Service) finish(ctx context.Context, tx pgx.Tx, w *Whole, status Status, last Decision) error {
	if err := s.end(ctx, tx, w, status, last.ApproverName, last.Justification); err != nil {
		return err
	}
	if err := s.tellRequester(ctx, tx, *w, "access_request."+string(status)+".requester", last); err != nil {
		return err
	}
	return s.post(ctx, tx, *w, "access_request."+string(status))
}

// end gives a request its last status. What waits to be sent to approvers is taken back, links die with it.
func (s *Service) end(ctx context.Context, tx pgx.Tx, w *Whole, status Status, by, because string) error {
	now := s.now()
	w.Status, w.EndedAt, w.EndedBy, w.EndedBecause = status, &now, by, because
	if err := updateStatus(ctx, tx, w.Request); err != nil {
		return err
	}
	_, err := s.Notices.CancelRequestTx(ctx, tx, w.ID)
	return err
}
