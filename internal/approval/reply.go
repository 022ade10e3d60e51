package approval

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/mail/reply"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// HandleReply decides a request by an answer to its mail, in the transaction that stores the answer. taken is
// false when the message answers no mail about a request. Every doubt goes the same way: nothing is decided, and
// its sender is told once, with the request's page.
//
// The token must be good; the sender must be the approver whom the mail was sent to, proven by a DMARC pass of the
// account's server unless the group is relaxed; and the first line must be one of the words.
func (s *Service) HandleReply(ctx context.Context, tx pgx.Tx, m reply.Message) (outcome string, taken bool, err error) {
	if m.Token == "" {
		return "", false, nil
	}
	found, err := findToken(ctx, tx, vault.NewSecret(m.Token), replyToken)
	if errors.Is(err, problem.ErrNotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	if m.Class != reply.ClassReply { // an automatic answer decides nothing and gets none
		return "", false, nil
	}
	whole, err := findWhole(ctx, tx, found.RequestID, true)
	if err != nil {
		return "", false, err
	}
	approver, ok := whole.ApproverFor(found.UserID)
	if !ok {
		return "", false, nil
	}
	why := s.decideByReply(ctx, tx, &whole, approver, m)
	var refused *problem.Refused
	switch {
	case why == nil:
		return fmt.Sprintf("%s: %s by %s", whole.Code(), Answer(m.Answer).past(), approver.Name), true, nil
	case !errors.As(why, &refused):
		return "", false, why
	}
	if err := s.tellNotAccepted(ctx, tx, whole, approver, found, m, refused.Text); err != nil {
		return "", false, err
	}
	return fmt.Sprintf("%s: not accepted. %s", whole.Code(), refused.Text), true, nil
}

// decideByReply decides, or returns a *problem.Refused.
func (s *Service) decideByReply(ctx context.Context, tx pgx.Tx, w *Whole, a Approver, m reply.Message) error {
	switch {
	case !sameAddress(m.From.Address, a.Email):
		return problem.Refuse("The answer came from another address than the one that was asked.")
	case !w.RelaxedReplies && !proven(m):
		return problem.Refuse("It is not proven that the answer comes from you.")
	}
	if m.Answer == reply.None {
		return problem.Refuse("The first line must be APPROVE or REJECT and nothing else.")
	}
	return s.decide(ctx, tx, w, a, Decide{Answer: Answer(m.Answer), Justification: below(m.Text)}, Reply)
}

// proven reports whether the receiving server found that the domain in From sent the message (RFC 7489).
func proven(m reply.Message) bool {
	if m.Auth.Verdict("dmarc") != "pass" {
		return false
	}
	_, domain, _ := strings.Cut(m.From.Address, "@")
	for _, r := range m.Auth.Results {
		if from := r.Props["header.from"]; r.Method == "dmarc" && from != "" && !strings.EqualFold(from, domain) {
			return false
		}
	}
	return true
}

// below is what stands under the first line of an answer.
func below(text string) string {
	_, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	runes := []rune(strings.TrimSpace(rest))
	return string(runes[:min(len(runes), maxLong)])
}

// tellNotAccepted answers once for each mail that was sent, and only to the approver: an address that is not proven
// to be theirs gets nothing. The request's page needs a sign-in, so the answer gives nothing away.
func (s *Service) tellNotAccepted(ctx context.Context, tx pgx.Tx, w Whole, a Approver, t token, m reply.Message, why string) error {
	if !sameAddress(m.From.Address, a.Email) || w.Status != Pending {
		return nil
	}
	first, err := markTold(ctx, tx, t.Hash, s.now())
	if err != nil || !first {
		return err
	}
	values := s.values(w).SetText("APPROVER", a.Name, "RECIPIENT", a.Name, "ERROR", why).SetLink("REQUEST", s.page(w))
	return s.tell(ctx, tx, w, toApprover(w, a, "access_request.reply_not_accepted.approver", values))
}
