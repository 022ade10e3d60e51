package account

import (
	"context"
	"fmt"
)

// RepliesRead reports whether somebody reads what people answer to notifications: a mailbox account that is checked
// by itself signs in with the address that the default account asks answers to.
func (s *Service) RepliesRead(ctx context.Context) (read bool, err error) {
	err = s.pool.QueryRow(ctx, `
		select exists (
			select from smtp_account
			join credential on lower(credential.username) = lower(coalesce(nullif(reply_to_email, ''), sender_email))
			join mailbox_account on mailbox_account.credential_id = credential.id
			where default_account and smtp_account.active and mailbox_account.active and automatic_check
		)`).Scan(&read)
	if err != nil {
		return false, fmt.Errorf("look whether answers are read: %w", err)
	}
	return read, nil
}
