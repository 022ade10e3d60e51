package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
	"orbit/internal/vault"
)

// resealBatch is how many messages are sealed in one transaction: senders that want one of them wait for it.
const resealBatch = 200

// Reseal seals the secrets of webhooks and confidential messages with the newest key, after the keys were rotated. It
// may run beside everything else, be interrupted, and run again. It returns how many values it changed.
func (s *Service) Reseal(ctx context.Context) (int, error) {
	webhooks, err := s.resealWebhooks(ctx)
	if err != nil {
		return webhooks, err
	}
	messages, err := s.resealMessages(ctx)
	return webhooks + messages, err
}

func (s *Service) resealWebhooks(ctx context.Context) (changed int, err error) {
	all, err := s.ListWebhooks(ctx)
	if err != nil {
		return 0, err
	}
	for _, w := range all {
		err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
			now, sealed, err := lockWebhook(ctx, tx, w.ID, 0)
			if err != nil {
				return err
			}
			again, ok, err := s.resealed(sealed, webhookPlace(now.ID, now.URL))
			if err != nil || !ok {
				return err
			}
			changed++
			return setWebhookSecret(ctx, tx, now.ID, again)
		})
		if ignoreNotFound(err) != nil { // deleted meanwhile is done
			return changed, fmt.Errorf("reseal webhook %d: %w", w.ID, err)
		}
	}
	return changed, nil
}

// resealMessages goes through the confidential messages in the order of their ids.
func (s *Service) resealMessages(ctx context.Context) (changed int, err error) {
	after, found := int64(0), resealBatch
	for found == resealBatch {
		err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
			messages, err := lockConfidential(ctx, tx, after, resealBatch)
			if err != nil {
				return err
			}
			found = len(messages)
			for _, m := range messages {
				n, err := s.resealMessage(ctx, tx, m)
				if err != nil {
					return fmt.Errorf("reseal message %d: %w", m.ID, err)
				}
				after, changed = m.ID, changed+n
			}
			return nil
		})
		if err != nil {
			return changed, err
		}
	}
	return changed, nil
}

func (s *Service) resealMessage(ctx context.Context, tx pgx.Tx, m sealedMessage) (changed int, err error) {
	for _, part := range []struct {
		sealed []byte
		name   string
		store  func(context.Context, pgx.Tx, int64, []byte) error
	}{{m.Values, "values", setSealedValues}, {m.Raw, "raw", setSealedRaw}} {
		again, ok, err := s.resealed(part.sealed, place(m.ID, part.name))
		if err != nil {
			return changed, err
		}
		if !ok {
			continue
		}
		if err := part.store(ctx, tx, m.ID, again); err != nil {
			return changed, err
		}
		changed++
	}
	return changed, nil
}

// resealed returns a value under the newest key; false: it is there already, there is none, or it opens no more.
func (s *Service) resealed(sealed []byte, where vault.Binding) ([]byte, bool, error) {
	if len(sealed) == 0 || !s.box.NeedsReseal(sealed) {
		return nil, false, nil
	}
	clear, err := s.box.Open(sealed, where)
	if errors.Is(err, vault.ErrDoesNotOpen) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	again, err := s.box.Seal(clear, where)
	return again, err == nil, err
}
