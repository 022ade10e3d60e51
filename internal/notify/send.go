package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"orbit/internal/problem"
)

// SendTx queues one message in the caller's transaction and returns the id of its delivery: it leaves when that
// commits. Features use it for what is about one person, such as a decision that an approver is asked for.
func (s *Service) SendTx(ctx context.Context, tx pgx.Tx, m Message) (int64, error) {
	if !plausible(m.To) {
		return 0, problem.Invalid{{Name: "to", Text: "“" + m.To + "” is not an e-mail address."}}
	}
	d, err := s.messageDelivery(ctx, m)
	if err != nil {
		return 0, err
	}
	var id int64
	if err := tx.QueryRow(ctx, insertDelivery, d.args()...).Scan(&id); err != nil {
		return 0, fmt.Errorf("queue a message: %w", err)
	}
	if m.Confidential {
		if err := s.sealMessage(ctx, tx, id, m); err != nil {
			return 0, err
		}
	}
	queue := queueNormal
	if m.Priority == Urgent {
		queue = queueUrgent
	}
	if _, err := s.jobs.InsertTx(ctx, tx, sendArgs{Deliveries: 1}, &river.InsertOpts{Queue: queue}); err != nil {
		return 0, fmt.Errorf("queue a message: %w", err)
	}
	return id, nil
}

func (s *Service) messageDelivery(ctx context.Context, m Message) (newDelivery, error) {
	d := newDelivery{
		eventID: m.EventID, contactID: m.ContactID, requestID: m.AccessRequestID, textType: m.TextType, language: m.Language, timeZone: m.TimeZone,
		recipient: m.To, name: m.Name, priority: m.Priority, route: routeOf(m.AccountID, m.AvoidAccountID),
		messageID: newMessageID(s.messageDomain(ctx)), confidential: m.Confidential,
		replyTo: m.ReplyTo, returnPath: m.ReturnPath, confirmation: m.Confirmation,
	}
	d.expires, d.givesUp = deadlines(m.Expires, time.Now())
	var err error
	if !m.Confidential {
		if d.values, err = encodeValues(m.Values); err != nil {
			return d, err
		}
	}
	if len(m.Headers) > 0 {
		if d.headers, err = json.Marshal(m.Headers); err != nil {
			return d, err
		}
	}
	if m.Words != nil {
		d.words, err = json.Marshal(m.Words)
	}
	return d, err
}

// sealMessage keeps the values of a confidential message. They are bound to its row, so the row comes first.
func (s *Service) sealMessage(ctx context.Context, tx pgx.Tx, id int64, m Message) error {
	sealed, err := s.sealValues(id, confidence{Values: m.Values, Hidden: m.Hidden})
	if err != nil {
		return err
	}
	return setSealedValues(ctx, tx, id, sealed)
}
