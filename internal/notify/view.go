package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/emersion/go-message/mail"
	"github.com/jackc/pgx/v5"

	"orbit/internal/notify/text"
	"orbit/internal/problem"
)

// hiddenMark stands on pages for what only the recipient may see.
const hiddenMark = "••••••••"

// Content returns what a message says: of the bytes that were sent, or, before its first attempt, as it would be
// rendered now. What decides something is hidden.
func (s *Service) Content(ctx context.Context, id int64) (text.Rendered, error) {
	it, err := s.stillItem(ctx, id)
	if err != nil {
		return text.Rendered{}, err
	}
	var shown text.Rendered
	if it.RenderedFor == 0 {
		shown, err = s.content(ctx, it)
	} else if err = s.unsealRaw(it); err == nil {
		shown, err = readBodies(it.Raw)
	}
	if err != nil {
		return text.Rendered{}, fmt.Errorf("read message %d: %w", id, err)
	}
	hide, err := s.hider(it)
	if err != nil {
		return text.Rendered{}, err
	}
	return text.Rendered{Subject: hide.Replace(shown.Subject), Text: hide.Replace(shown.Text), HTML: hide.Replace(shown.HTML)}, nil
}

// Source writes the message as it was sent. That of a confidential message is shown to nobody.
func (s *Service) Source(ctx context.Context, id int64, w io.Writer) error {
	it, err := s.stillItem(ctx, id)
	switch {
	case err != nil:
		return err
	case it.Confidential:
		return problem.Refuse("This message carries a link that decides, so its source is not shown.")
	case it.RenderedFor == 0:
		return problem.Refuse("This message has not been rendered yet: nobody has tried to send it.")
	}
	_, err = w.Write(it.Raw)
	return err
}

// hider replaces what a confidential message hides.
func (s *Service) hider(it *item) (*strings.Replacer, error) {
	if !it.Confidential {
		return strings.NewReplacer(), nil
	}
	c, err := s.openConfidence(it.ID, it.SealedValues)
	if err != nil {
		return nil, err
	}
	var pairs []string
	for _, secret := range c.Hidden {
		if link := c.Values[secret].URL; link != "" {
			pairs = append(pairs, html.EscapeString(link), hiddenMark, link, hiddenMark)
		} else if secret != "" {
			pairs = append(pairs, secret, hiddenMark)
		}
	}
	return strings.NewReplacer(pairs...), nil
}

// readBodies takes a message apart that Orbit has made.
func readBodies(raw []byte) (text.Rendered, error) {
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		return text.Rendered{}, err
	}
	var out text.Rendered
	if out.Subject, err = r.Header.Subject(); err != nil {
		return out, err
	}
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		body, err := io.ReadAll(part.Body)
		if err != nil {
			return out, err
		}
		if kind := part.Header.Get("Content-Type"); strings.HasPrefix(kind, "text/html") {
			out.HTML = string(body)
		} else {
			out.Text = strings.ReplaceAll(string(body), "\r\n", "\n")
		}
	}
}

// stillItem reads a message to look at it.

func (s *Service) stillItem(ctx context.Context, id int64) (*item, error) {
	it, err := one[item](ctx, s.pool, "message", `
		select delivery.id, 0::bigint as taken_for, tries, attempts, doubts, text_type, language, time_zone, recipient, recipient_name, priority,
			message_id, confidential, values, sealed_values, words, headers, delivery.reply_to, delivery.return_path, delivery.confirmation,
			delivery.expires_at, gives_up_at, delivery.created_at, first_attempt_at, coalesce(event.type, '') as event_type,
			event.data as event_data, coalesce(event.created_at, delivery.created_at) as event_at,
			coalesce(delivery_message.smtp_account_id, 0) as rendered_for, coalesce(envelope, '{}') as envelope, raw
		from delivery
		left join event on event.id = event_id and delivery.values is null and sealed_values is null
		left join delivery_message on delivery_id = delivery.id
		where delivery.id = @id`, pgx.NamedArgs{"id": id})
	return &it, err
}
