package account

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/credential"
)

// TokenServers are the servers at which accounts sign in with the token of an address that covers accepts.
func (s *Service) TokenServers(ctx context.Context, tx pgx.Tx, covers func(address string) bool) ([]credential.Destination, error) {
	all, err := tokenAccounts(ctx, tx)
	if err != nil {
		return nil, err
	}
	var found []credential.Destination
	for _, a := range all {
		if covers(a.address) {
			found = append(found, s.destination(a.access, ""))
		}
	}
	return found, nil
}

// tokenAccount is the access of an account that signs in with a token, and whose token that is.
type tokenAccount struct {
	access
	address string
}

func tokenAccounts(ctx context.Context, tx pgx.Tx) ([]tokenAccount, error) {
	senders, err := collect[SMTP](tx.Query(ctx, `
		select `+smtpColumns+`
		from smtp_account
		where use_authentication and authentication_type = @oauth2`, pgx.NamedArgs{"oauth2": OAuth2}))
	if err != nil {
		return nil, err
	}
	mailboxes, err := collect[Mailbox](tx.Query(ctx, `
		select `+mailboxColumns+`
		from mailbox_account
		where authentication_type = @oauth2`, pgx.NamedArgs{"oauth2": OAuth2}))
	if err != nil {
		return nil, err
	}
	var all []tokenAccount
	for _, a := range senders {
		all = append(all, tokenAccount{access: SMTPChange{SMTPSettings: a.SMTPSettings}.access()})
	}
	for _, m := range mailboxes {
		all = append(all, tokenAccount{access: MailboxChange{MailboxSettings: m.MailboxSettings}.access()})
	}
	return all, nameAddresses(ctx, tx, all)
}

// nameAddresses fills in whose token it is: the username of the credential, else the sender.
func nameAddresses(ctx context.Context, tx pgx.Tx, all []tokenAccount) error {
	rows, err := tx.Query(ctx, "select id, username from credential")
	if err != nil {
		return fmt.Errorf("list the usernames of credentials: %w", err)
	}
	usernames := map[int64]string{}
	var id int64
	var username string
	_, err = pgx.ForEachRow(rows, []any{&id, &username}, func() error {
		usernames[id] = username
		return nil
	})
	for i, a := range all {
		all[i].address = a.fallback
		if a.credentialID != 0 {
			all[i].address = usernames[a.credentialID]
		}
	}
	return err
}

func collect[T any](rows pgx.Rows, err error) ([]T, error) {
	if err != nil {
		return nil, fmt.Errorf("list accounts that sign in with a token: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}
