package notify

import (
	"context"
	"encoding/json"
	"time"

	"orbit/internal/notify/text"
)

// Told says whether somebody would be told of an event, and why or why not.
type Told struct {
	RuleID      int64      `json:"rule_id"`
	Rule        string     `json:"rule"`
	ContactID   int64      `json:"contact_id,omitempty"`
	Name        string     `json:"name"`
	Address     string     `json:"address,omitempty"`
	Channel     Channel    `json:"channel"`
	Told        bool       `json:"told"`
	Why         string     `json:"why"`
	HeldUntil   *time.Time `json:"held_until,omitempty"` // for a digest, or the end of quiet hours
	AccountID   int64      `json:"smtp_account_id,omitempty"`
	AccountName string     `json:"account_name,omitempty"`
	TextType    string     `json:"text,omitempty"`
	OwnText     bool       `json:"own_text,omitempty"` // not the built-in one
	Language    string     `json:"language,omitempty"`
	Subject     string     `json:"subject,omitempty"`
}

// Simulate says who would be told of an event. Nothing is stored and nothing leaves. It decides by the same code as
// Post.
func (s *Service) Simulate(ctx context.Context, e Event) ([]Told, error) {
	kind, err := s.eventType(ctx, e.Type)
	if err != nil {
		return nil, err
	}
	if e.Data == nil {
		e.Data = sampleData(kind)
	}
	p, err := s.prepareEvent(ctx, e)
	if err != nil {
		return nil, err
	}
	targets, err := selectTargets(ctx, s.pool, e.Type)
	if err != nil {
		return nil, err
	}
	s.forgetRoutes() // an account that was saved a moment ago counts
	r, err := s.currentRoutes(ctx)
	if err != nil {
		return nil, err
	}
	var all []Told
	for _, v := range match(p, targets, time.Now()) {
		told, err := s.told(ctx, p, v, r)
		if err != nil {
			return nil, err
		}
		all = append(all, told)
	}
	return all, nil
}

func (s *Service) told(ctx context.Context, p *posting, v verdict, r routes) (Told, error) {
	c := v.target.Contact
	t := Told{
		RuleID: v.target.Rule.ID, Rule: v.target.Rule.Name, ContactID: c.ID, Name: c.Name, Channel: v.channel, Told: v.told, Why: v.why, HeldUntil: zeroNull(v.held),
	}
	if v.channel == ByWebhook {
		t.Name = v.target.Webhook
		return t, nil
	}
	t.TextType, t.Language = textKey(p.event.Type), language(c.Language)
	_, own, err := s.directory.written(ctx, s.pool, t.TextType, text.Language(t.Language))
	if err != nil {
		return t, err
	}
	t.OwnText = own
	reader := text.Reader{Language: text.Language(t.Language), Zone: zone(c.TimeZone)}
	rendered, err := s.renderEvent(ctx, p.event.Type, p.data, time.Now(), reader, c.Name)
	if t.Subject = rendered.Subject; err != nil || v.channel != Email {
		return t, err
	}
	t.Address = c.Email
	a, ok := r.acting(routeOf(v.target.Rule.AccountID, p.event.AvoidAccountID))
	if t.AccountID, t.AccountName = a.ID, a.AccountName; !ok && t.Told {
		t.Why += " No account can send now: the message waits."
	}
	return t, nil
}

// sampleData makes an event's data of the samples of its fields.
func sampleData(kind EventType) map[string]any {
	data := map[string]any{}
	for _, f := range kind.Fields {
		switch f.Kind {
		case ListField:
			data[f.Name] = []string{f.Sample}
		case NumberField:
			data[f.Name] = json.Number(f.Sample)
		case TextField, TimeField:
			data[f.Name] = f.Sample
		}
	}
	return data
}
