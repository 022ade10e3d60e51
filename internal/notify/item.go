package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"time"

	"orbit/internal/account"
	"orbit/internal/mail/submit"
	"orbit/internal/notify/text"
	"orbit/internal/vault"
)

// item is a delivery in hand: all that a sender needs, read in one go.
type item struct {
	ID             int64           `db:"id"`
	TakenFor       int64           `db:"taken_for"` // the account that it is to leave through
	Tries          int             `db:"tries"`     // the number of this attempt
	Attempts       int             `db:"attempts"`  // that counted before it
	Doubts         int             `db:"doubts"`
	TextType       string          `db:"text_type"`
	Language       string          `db:"language"`
	TimeZone       string          `db:"time_zone"`
	Recipient      string          `db:"recipient"`
	RecipientName  string          `db:"recipient_name"`
	Priority       Priority        `db:"priority"`
	MessageID      string          `db:"message_id"`
	Confidential   bool            `db:"confidential"`
	Values         []byte          `db:"values"`
	SealedValues   []byte          `db:"sealed_values"`
	Words          *text.Text      `db:"words"`
	Headers        []byte          `db:"headers"`
	ReplyTo        string          `db:"reply_to"`
	ReturnPath     string          `db:"return_path"`
	Confirmation   string          `db:"confirmation"`
	ExpiresAt      time.Time       `db:"expires_at"`
	GivesUpAt      time.Time       `db:"gives_up_at"`
	CreatedAt      time.Time       `db:"created_at"`
	FirstAttemptAt *time.Time      `db:"first_attempt_at"`
	EventType      string          `db:"event_type"` // empty: a message without event
	EventData      []byte          `db:"event_data"`
	EventAt        time.Time       `db:"event_at"`
	RenderedFor    int64           `db:"rendered_for"` // the account that raw was rendered for; 0: not yet
	Envelope       submit.Envelope `db:"envelope"`
	Raw            []byte          `db:"raw"`

	subject  string
	rendered bool // just now: it must be stored
}

// prepare makes sure that the item has the bytes to send through an account. They are rendered once and kept; only
// another account, with another sender, needs them anew, with the same Message-ID and date.
func (s *Service) prepare(ctx context.Context, it *item, a account.SMTP) error {
	if it.RenderedFor == a.ID {
		return s.unsealRaw(it)
	}
	content, err := s.content(ctx, it)
	if err != nil {
		return err
	}
	parameters, err := s.settings.Application(ctx)
	if err != nil {
		return err
	}
	m := account.Compose(a.SMTPSettings, account.Content{
		To: []string{it.Recipient}, Subject: content.Subject, Text: content.Text, HTML: content.HTML,
		ReplyTo: it.ReplyTo, ReturnPath: it.ReturnPath, Confirmation: it.Confirmation,
	}, parameters.FooterText)
	m.To[0] = mail.Address{Name: it.RecipientName, Address: it.Recipient}
	m.MessageID, m.Date = it.MessageID, it.CreatedAt
	if m.Headers, err = it.headers(); err != nil {
		return err
	}
	it.Raw, it.Envelope, err = submit.Render(m)
	it.subject, it.rendered, it.RenderedFor = content.Subject, true, a.ID
	return err
}

func (it *item) headers() ([]submit.Header, error) {
	if it.Headers == nil {
		return nil, nil
	}
	var own []Header
	if err := json.Unmarshal(it.Headers, &own); err != nil {
		return nil, fmt.Errorf("read the headers of message %d: %w", it.ID, err)
	}
	all := make([]submit.Header, len(own))
	for i, h := range own {
		all[i] = submit.Header(h)
	}
	return all, nil
}

// content fills the text in.
func (s *Service) content(ctx context.Context, it *item) (text.Rendered, error) {
	location := zone(it.TimeZone)
	values, err := s.itemValues(ctx, it, location)
	if err != nil {
		return text.Rendered{}, err
	}
	words, err := s.words(ctx, it.TextType, it.Language)
	if err != nil {
		return text.Rendered{}, err
	}
	if it.Words != nil {
		words = *it.Words
	}
	return text.Render(words, values, text.Reader{Language: text.Language(it.Language), Zone: location}), nil
}

// words returns the text of a type that holds now: what somebody wrote, or the built-in one.
func (s *Service) words(ctx context.Context, kind, lang string) (text.Text, error) {
	written, ok, err := s.directory.written(ctx, s.pool, kind, text.Language(lang))
	if err != nil || ok {
		return written, err
	}
	return text.Builtin(kind, text.Language(lang)), nil
}

func (s *Service) itemValues(ctx context.Context, it *item, zone *time.Location) (text.Values, error) {
	if it.EventType != "" {
		kind, err := s.eventTypeOrBare(ctx, it.EventType)
		if err != nil {
			return nil, err
		}
		h := happened{kind: kind, at: it.EventAt}
		if err := json.Unmarshal(it.EventData, &h.data); err != nil {
			return nil, fmt.Errorf("read the event of message %d: %w", it.ID, err)
		}
		return s.values(h, it.RecipientName, zone), nil
	}
	encoded := it.Values
	if it.Confidential {
		secret, err := s.openValues(it)
		if err != nil {
			return nil, err
		}
		encoded = secret
	}
	var values text.Values
	if err := json.Unmarshal(encoded, &values); err != nil {
		return nil, fmt.Errorf("read the values of message %d: %w", it.ID, err)
	}
	return values, nil
}

// eventTypeOrBare is eventType for events that are stored already: their type may have been removed since.
func (s *Service) eventTypeOrBare(ctx context.Context, name string) (EventType, error) {
	kind, err := s.eventType(ctx, name)
	var gone interface{ For(string) string }
	if errors.As(err, &gone) {
		return EventType{Name: name, Title: name}, nil
	}
	return kind, err
}

// place is where the sealed parts of a delivery belong.
func place(id int64, what string) vault.Binding {
	return vault.Binding{Table: "delivery", Row: id, Destination: what}
}
