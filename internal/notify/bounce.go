package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/mail/submit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// Sign is something that came back about a message: a bounce, a receipt, a reply.
type Sign struct {
	MessageIDs []string // that it names, the likeliest first
	Recipient  string   // whom it is about, where it says so
	Kind       NoteKind
	Text       string // what it says, in a sentence
	Permanent  bool   // of a bounce: the address will not do later either
}

// NoSuchAddress reports whether an enhanced status code says that a recipient's address will not do later either. Others
// of its class speak of the sender (5.1.7, 5.1.8) or of a limit (5.1.90); policies and full mailboxes change.
func NoSuchAddress(status string) bool {
	return slices.Contains([]string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"}, status) // RFC 3463 3.2, RFC 7505 4.2
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
	return id, s.bouncedTx(ctx, tx, recipient, sign.Text)
}

// bouncedTx marks the contact of an address, and tells of it when nobody knew.
func (s *Service) bouncedTx(ctx context.Context, tx pgx.Tx, address, why string) error {
	defer s.directory.forget()
	marked, err := markBounced(ctx, tx, address, why)
	if err != nil || !marked {
		return err
	}
	_, err = s.PostTx(ctx, tx, Event{Type: "orbit.address_bounced", Data: map[string]any{
		"subject_name": address, "error": why, "remedy": "Correct the address of the contact.", "url_open": s.page("/settings/notifications/contacts"),
	}})
	return err
}

// refused draws the conclusions of a server's refusal for good, as a bounce would: of an address that does not exist,
// and for an access request whose approver hears nothing of it.
func (s *Service) refused(ctx context.Context, it *item, o outcome, cause error) error {
	var refusal *submit.Refusal
	if !errors.As(cause, &refusal) {
		return nil
	}
	why := "Refused: " + strings.TrimSpace(o.Reply)
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		// Servers without status codes say it in words, which the explanation knows.
		if NoSuchAddress(refusal.Enhanced) || refusal.Enhanced == "" && o.Fault.Code == "smtp_550_5.1.1" {
			if err := s.bouncedTx(ctx, tx, it.Recipient, why); err != nil {
				return err
			}
		}
		request, err := s.RequestTx(ctx, tx, []string{it.MessageID}, it.Recipient)
		if err != nil || request == 0 || s.unreachable == nil {
			return err
		}
		if err := s.unreachable(ctx, tx, request, it.Recipient, why); !errors.Is(err, problem.ErrNotFound) {
			return err
		}
		return nil
	})
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
