package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/problem"
)

// maxKey bounds an idempotency key.
const maxKey = 200

// Post accepts an event. When it returns, what is to be sent about it is stored and will be. An event whose
// idempotency key was there already is not accepted again: the answer is that of the first.
func (s *Service) Post(ctx context.Context, e Event) (Accepted, error) {
	p, err := s.prepareEvent(ctx, e)
	if err != nil {
		return Accepted{}, err
	}
	return s.gather.add(ctx, s, p)
}

// PostTx accepts an event in the caller's transaction: it is there when that commits.
func (s *Service) PostTx(ctx context.Context, tx pgx.Tx, e Event) (Accepted, error) {
	p, err := s.prepareEvent(ctx, e)
	if err != nil {
		return Accepted{}, err
	}
	if err := s.store(ctx, tx, []*posting{p}); err != nil {
		return Accepted{}, err
	}
	return p.accepted, p.err
}

// posting is an event on its way into the tables.
type posting struct {
	event    Event
	kind     EventType
	data     []byte
	by       string
	done     chan struct{} // closed when accepted and err are set
	accepted Accepted
	err      error
}

// prepareEvent checks everything that needs no transaction.
func (s *Service) prepareEvent(ctx context.Context, e Event) (*posting, error) {
	kind, err := s.eventType(ctx, e.Type)
	if err != nil {
		return nil, err
	}
	var wrong problem.Invalid
	checkData(&wrong, kind, e.Data)
	for field, address := range map[string]string{"reply_to": e.ReplyTo, "return_path": e.ReturnPath, "confirmation": e.Confirmation} {
		if address != "" && !plausible(address) {
			wrong.Add(field, "“%s” is not an e-mail address.", address)
		}
	}
	if len(e.IdempotencyKey) > maxKey || strings.ContainsFunc(e.IdempotencyKey, unprintable) || !utf8.ValidString(e.IdempotencyKey) {
		wrong.Add("idempotency_key", "The key may have at most %d characters, none of them a control character.", maxKey)
	}
	if !e.Expires.IsZero() && e.Expires.Before(time.Now()) {
		wrong.Add("expires_at", "This time has passed.")
	}
	data, err := json.Marshal(e.Data)
	if err != nil || len(data) > maxData || !utf8.Valid(data) || strings.Contains(string(data), `\u0000`) {
		wrong.Add("data", "The data must be JSON of at most %d KB without NUL characters.", maxData>>10)
	}
	if e.Data == nil {
		data = []byte("{}")
	}
	return &posting{event: e, kind: kind, data: data, by: audit.ActorFrom(ctx).Name, done: make(chan struct{})}, wrong.Err()
}

// checkData compares an event's data with the fields of its type. An own type without fields takes whatever comes.
func checkData(wrong *problem.Invalid, kind EventType, data map[string]any) {
	for _, f := range kind.Fields {
		value, given := data[f.Name]
		switch {
		case f.Required && (!given || value == nil || value == ""):
			wrong.Add("data."+f.Name, "%s needs the field %s: %s.", kind.Name, f.Name, f.Doc)
		case given && value != nil && !f.takes(value):
			wrong.Add("data."+f.Name, "The field %s must be a %s.", f.Name, f.Kind.words())
		}
	}
	if len(kind.Fields) == 0 {
		return
	}
	for name := range data {
		if !slices.ContainsFunc(kind.Fields, func(f Field) bool { return f.Name == name }) {
			wrong.Add("data."+name, "%s has no field %s.", kind.Name, name)
		}
	}
}

func (k Kind) words() string {
	switch k {
	case TimeField:
		return "time such as 2026-11-23T12:40:00Z"
	case NumberField:
		return "number"
	case ListField:
		return "list of texts"
	case TextField:
	}
	return "text"
}

// takes reports whether a value from JSON fits the field.
func (f Field) takes(value any) bool {
	switch v := value.(type) {
	case string:
		if f.Kind == TimeField {
			_, err := time.Parse(time.RFC3339, v)
			return err == nil || v == ""
		}
		return f.Kind == TextField
	case float64, int, int64, json.Number:
		return f.Kind == NumberField || f.Kind == TextField
	case time.Time:
		return f.Kind == TimeField
	case []string:
		return f.Kind == ListField
	case []any:
		return f.Kind == ListField && !slices.ContainsFunc(v, func(item any) bool { _, isText := item.(string); return !isText })
	}
	return false
}

// plausible is enough for a first answer; submit checks addresses strictly before anything is sent.
func plausible(address string) bool {
	at := strings.LastIndexByte(address, '@')
	return at > 0 && at < len(address)-1 && len(address) <= 320 && utf8.ValidString(address) &&
		!strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`<>,;:"\`, r) })
}

func unprintable(r rune) bool { return r < ' ' || r == 0x7f }

// store writes events and all that follows from them. A posting whose err is set was refused; the others are
// stored when tx commits.
func (s *Service) store(ctx context.Context, tx pgx.Tx, postings []*posting) error {
	fresh, err := insertEvents(ctx, tx, postings)
	if err != nil || len(fresh) == 0 {
		return err
	}
	var plan plan
	for _, p := range fresh {
		targets, err := s.directory.targets(ctx, s.pool, p.event.Type)
		if err != nil {
			return err
		}
		plan.add(p, match(p, targets, time.Now()), s.messageDomain(ctx))
	}
	return s.storePlan(ctx, tx, &plan)
}

// storePlan writes what the rules have made of events, and the jobs that bring it on its way.
func (s *Service) storePlan(ctx context.Context, tx pgx.Tx, p *plan) error {
	if err := insertPlan(ctx, tx, p); err != nil {
		return err
	}
	jobs := p.jobs()
	if len(p.webhooks) > 0 {
		ids, err := insertWebhookMessages(ctx, tx, p.webhooks)
		if err != nil {
			return err
		}
		jobs = append(jobs, webhookJobs(ids)...)
	}
	if len(jobs) == 0 {
		return nil
	}
	if _, err := s.jobs.InsertManyTx(ctx, tx, jobs); err != nil {
		return fmt.Errorf("queue the jobs of a notification: %w", err)
	}
	return nil
}
