package approval

import (
	"net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"orbit/internal/mail/reply"
)

func TestReplies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	pass := reply.Auth{Server: "mx", Results: []reply.Result{{Method: "dmarc", Value: "pass", Props: map[string]string{"header.from": "example.com"}}}}
	good := reply.Message{
		Class: reply.ClassReply, From: mail.Address{Address: "Ana@example.com"}, Answer: reply.Approve, Text: "APPROVE\n\nas agreed", Auth: pass,
	}
	for name, c := range map[string]struct {
		change  func(*reply.Message)
		relaxed bool
		outcome string // beginning after the code; "" when it is not taken
		status  Status
		mails   []string
	}{
		"approved": {outcome: ": approved by Ana", status: Approved, mails: []string{"approved rita"}},
		"rejected": {change: func(m *reply.Message) { m.Answer = reply.Reject }, outcome: ": rejected by Ana", status: Rejected, mails: []string{"rejected rita"}},
		"forged":   {change: func(m *reply.Message) { m.Auth = reply.Auth{} }, outcome: ": not accepted", status: Pending, mails: []string{"reply_not_accepted ana"}},
		"another domain passes": {change: func(m *reply.Message) {
			m.Auth.Results = []reply.Result{{Method: "dmarc", Value: "pass", Props: map[string]string{"header.from": "evil.example"}}}
		}, outcome: ": not accepted", status: Pending, mails: []string{"reply_not_accepted ana"}},
		"relaxed":        {change: func(m *reply.Message) { m.Auth = reply.Auth{} }, relaxed: true, outcome: ": approved by Ana", status: Approved, mails: []string{"approved rita"}},
		"another person": {change: func(m *reply.Message) { m.From.Address = "bruno@example.com" }, relaxed: true, outcome: ": not accepted", status: Pending},
		"no word":        {change: func(m *reply.Message) { m.Answer = reply.None }, outcome: ": not accepted", status: Pending, mails: []string{"reply_not_accepted ana"}},
		"automatic":      {change: func(m *reply.Message) { m.Class, m.Answer = reply.ClassAutoReply, reply.None }, status: Pending},
		"no token":       {change: func(m *reply.Message) { m.Token = "" }, status: Pending},
		"wrong token":    {change: func(m *reply.Message) { m.Token = strings.Repeat("A", 32) }, status: Pending},
	} {
		w := r.request(r.group(func(g *GroupChange) { g.RelaxedReplies = c.relaxed }, "ana", "bruno"))
		link, token := r.linkTo("ana")
		r.sent()
		m := good
		m.Token = token.Reveal()
		if c.change != nil {
			c.change(&m)
		}
		for range 2 { // the second time is told nothing more
			outcome, taken := r.handle(m)
			if taken != (c.outcome != "") || taken && c.status == Pending && !strings.HasPrefix(outcome, w.Code()+c.outcome) {
				t.Errorf("%s: %q, %v", name, outcome, taken)
			}
		}
		found, _ := r.Find(t.Context(), w.ID)
		if got := r.sent(); found.Status != c.status || !slices.Equal(got, c.mails) {
			t.Errorf("%s: %s, mails %q", name, found.Status, got)
		}
		if c.status == Approved && (found.Decisions[0].Way != Reply || found.Decisions[0].Justification != "as agreed") {
			t.Errorf("%s: %+v", name, found.Decisions)
		}
		m.Token = link.Reveal() // a link is no reply reference
		if _, taken := r.handle(m); taken {
			t.Errorf("%s: a link was taken for a reply token", name)
		}
	}
}

func (r *rig) handle(m reply.Message) (outcome string, taken bool) {
	r.t.Helper()
	err := pgx.BeginFunc(r.t.Context(), r.Pool, func(tx pgx.Tx) (err error) {
		outcome, taken, err = r.HandleReply(r.t.Context(), tx, m)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return outcome, taken
}
