package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Sign is something that came back about a message: a bounce, a receipt, a reply.
type Sign struct {
	MessageIDs []string // that it names, the likeliest first
	Recipient  string   // whom it is about, where it says so
	Kind       NoteKind
	Text       string // what it says, in a sentence
	Permanent  bool   // of a bounce: the address will not do later either
}

// SignTx writes a sign on the time line of its message and returns the message's id; 0: none of ours is named. A
// permanent bounce marks the contact, whose address is not written to until somebody has looked, and is told as an
// event.
func (s *Service) SignTx(ctx context.Context, tx pgx.Tx, sign Sign) (int64, error) {
	id, recipient, err := findBySign(ctx, tx, sign)
	if err != nil || id == 0 {
		return 0, err
	}
	if err := s.NoteTx(ctx, tx, id, sign.Kind, sign.Text, recipient); err != nil {
		return 0, err
	}
	if sign.Kind != BounceNote || !sign.Permanent {
		return id, nil
	}
	defer s.directory.forget()
	marked, err := markBounced(ctx, tx, recipient, sign.Text)
	if err != nil || !marked {
		return id, err
	}
	_, err = s.PostTx(ctx, tx, Event{Type: "orbit.address_bounced", Data: map[string]any{
		"subject_name": recipient, "error": sign.Text, "remedy": "Correct the address of the contact.", "url_open": s.page("/settings/notifications/contacts"),
	}})
	return id, err
}

func findBySign(ctx context.Context, tx pgx.Tx, sign Sign) (id int64, recipient string, err error) {
	err = tx.QueryRow(ctx, `
		select delivery.id, recipient
		from unnest(@ids::text[]) with ordinality as named(message_id, place)
		join delivery on delivery.message_id = named.message_id
		order by lower(recipient) = lower(@recipient) desc, place
		limit 1`, pgx.NamedArgs{"ids": sign.MessageIDs, "recipient": sign.Recipient}).Scan(&id, &recipient)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", fmt.Errorf("find the message that came back: %w", err)
	}
	return id, recipient, nil
}

func markBounced(ctx context.Context, tx pgx.Tx, address, text string) (bool, error) {
	tag, err := tx.Exec(ctx, `
		update contact
		set bounced_at = now(), bounce_text = @text
		where email <> '' and lower(email) = lower(@address) and bounced_at is null`, pgx.NamedArgs{"address": address, "text": text})
	if err != nil {
		return false, fmt.Errorf("mark the contact whose mail came back: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}
