package notify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/mail/ladder"
	"orbit/internal/notify/text"
)

// NoteKind is what a note on a message tells of.
type NoteKind string

// The kinds of notes.
const (
	ActionNote   NoteKind = "action"   // somebody paused it, tried again, ...
	BounceNote   NoteKind = "bounce"   // it came back
	DelayNote    NoteKind = "delay"    // a server on the way says that it takes longer
	ReceiptNote  NoteKind = "receipt"  // it was read
	ReplyNote    NoteKind = "reply"    // it was answered
	DecisionNote NoteKind = "decision" // somebody decided
)

// Step is one line of a message's time line.
type Step struct {
	At    time.Time     `json:"at"`
	Kind  string        `json:"kind"` // event, rule, queued, attempt, ended, or that of a note
	Text  string        `json:"text"`
	By    string        `json:"by,omitempty"`
	Fault *ladder.Fault `json:"fault,omitempty"`
}

// Timeline is everything that is known of one message.
type Timeline struct {
	Delivery
	EventType string    `json:"event_type,omitempty"`
	Rule      string    `json:"rule,omitempty"`
	TextName  string    `json:"text"` // which words it has
	Attempts  []Attempt `json:"attempt_list"`
	Steps     []Step    `json:"steps"`
}

// Timeline follows a message from its event to its end.
func (s *Service) Timeline(ctx context.Context, id int64) (Timeline, error) {
	d, err := s.FindDelivery(ctx, id)
	if err != nil {
		return Timeline{}, err
	}
	t := Timeline{Delivery: d, TextName: d.TextType}
	if known, ok := text.Find(d.TextType); ok {
		t.TextName = known.Name
	}
	if err := s.addOrigin(ctx, &t); err != nil {
		return Timeline{}, err
	}
	if t.Attempts, err = selectAttempts(ctx, s.pool, id); err != nil {
		return Timeline{}, err
	}
	for _, a := range t.Attempts {
		t.Steps = append(t.Steps, a.step())
	}
	notes, err := selectNotes(ctx, s.pool, id)
	if err != nil {
		return Timeline{}, err
	}
	t.Steps = append(t.Steps, notes...)
	if d.EndedAt != nil {
		t.Steps = append(t.Steps, Step{At: *d.EndedAt, Kind: "ended", Text: ending(d)})
	}
	slices.SortStableFunc(t.Steps, func(a, b Step) int { return a.At.Compare(b.At) })
	return t, nil
}

// addOrigin tells where the message comes from: its event, or those of a digest, its rule, and its place in the queue.
func (s *Service) addOrigin(ctx context.Context, t *Timeline) error {
	type origin struct {
		ID        int64     `db:"id"`
		Type      string    `db:"type"`
		CreatedAt time.Time `db:"created_at"`
		CreatedBy string    `db:"created_by"`
	}
	events, err := collect[origin](ctx, s.pool, `
		select id, type, created_at, created_by
		from event
		where id = @event or id in (select event_id from delivery_digest where delivery_id = @delivery)
		order by id`, pgx.NamedArgs{"event": t.EventID, "delivery": t.ID})
	if err != nil {
		return fmt.Errorf("read what a message tells of: %w", err)
	}
	for _, e := range events {
		t.EventType = e.Type
		kind, err := s.eventTypeOrBare(ctx, e.Type)
		if err != nil {
			return err
		}
		t.Steps = append(t.Steps, Step{At: e.CreatedAt, Kind: "event", Text: fmt.Sprintf("Event %d: %s", e.ID, kind.Title), By: e.CreatedBy})
	}
	if t.RuleID != 0 {
		rule, err := findRule(ctx, s.pool, t.RuleID)
		if ignoreNotFound(err) != nil {
			return err
		}
		t.Rule = cmp.Or(rule.Name, "a rule that was deleted")
		t.Steps = append(t.Steps, Step{At: t.CreatedAt, Kind: "rule", Text: "Rule: " + t.Rule})
	}
	t.Steps = append(t.Steps, Step{At: t.CreatedAt, Kind: "queued", Text: fmt.Sprintf("Queued for %s, text “%s” (%s)", t.Recipient, t.TextName, t.Language)})
	return nil
}

func (a Attempt) step() Step {
	st := Step{At: a.StartedAt, Kind: "attempt", Fault: a.Fault}
	account := cmp.Or(a.AccountName, "an account that was deleted")
	said := cmp.Or(a.Reply, "no answer")
	if a.Fault != nil && a.Reply == "" {
		said = a.Fault.Cause
	}
	switch a.Outcome {
	case "":
		st.Text = fmt.Sprintf("Attempt %d through %s: running", a.Number, account)
	case AttemptSent:
		st.Text = fmt.Sprintf("Attempt %d through %s: %s", a.Number, account, said)
	case AttemptRetry, AttemptThrottled, AttemptAccount:
		st.Text = fmt.Sprintf("Attempt %d through %s, later again: %s", a.Number, account, said)
	case AttemptUncertain:
		st.Text = fmt.Sprintf("Attempt %d through %s, the server may have taken it: %s", a.Number, account, said)
	case AttemptFailed:
		st.Text = fmt.Sprintf("Attempt %d through %s, refused for good: %s", a.Number, account, said)
	}
	return st
}

// ending is the state of a message that has come to its end, in a sentence.
func ending(d Delivery) string {
	switch d.State {
	case Sent:
		return "Sent: " + d.Reply
	case Failed:
		return "Given up."
	case Cancelled:
		return "Cancelled."
	case Expired:
		return "Expired: it would be of no use any more."
	case Uncertain:
		return "Sent twice without a final answer. The recipient may have it; send it again only if they do not."
	case Queued, Retrying, Paused, Sending:
	}
	return ""
}

func selectAttempts(ctx context.Context, q querier, id int64) ([]Attempt, error) {
	all, err := collect[Attempt](ctx, q, `
		select number, smtp_account_id, coalesce((select account_name from smtp_account where id = smtp_account_id), '') as account_name,
			started_at, ended_at, outcome, step, reply, fault
		from delivery_attempt
		where delivery_id = @id
		order by number`, pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, fmt.Errorf("read the attempts of a message: %w", err)
	}
	return all, nil
}

func selectNotes(ctx context.Context, q querier, id int64) ([]Step, error) {
	type note struct {
		At   time.Time `db:"at"`
		Kind string    `db:"kind"`
		Text string    `db:"text"`
		By   string    `db:"by"`
	}
	rows, err := collect[note](ctx, q, "select at, kind, text, by from delivery_note where delivery_id = @id order by id", pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, fmt.Errorf("read the notes on a message: %w", err)
	}
	all := make([]Step, len(rows))
	for i, r := range rows {
		all[i] = Step{At: r.At, Kind: r.Kind, Text: r.Text, By: r.By}
	}
	return all, nil
}
