package connector

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/credential"
)

// Use names a record whose connections go through a connector.
type Use struct {
	What string `db:"what" json:"what"` // "SMTP account"
	Name string `db:"name" json:"name"`
	URL  string `db:"url" json:"url"` // its page
}

// selectUses asks the tables that refer to connectors; their foreign keys are what Delete is refused by.
func selectUses(ctx context.Context, q querier, id int64) ([]Use, error) {
	rows, err := q.Query(ctx, `
		select what, name, url
		from (
			select 1 as rank, 'SMTP account' as what, account_name as name, '/settings/notifications/smtp/' || id as url
			from smtp_account
			where network_connector_id = @id
			union all
			select 2, 'IMAP/POP3 account', account_name, '/settings/notifications/imap-pop3/' || id
			from mailbox_account
			where network_connector_id = @id
			union all
			select 3, 'OAuth registration', pattern, '/settings/notifications/oauth2-proxy/' || id
			from oauth_client
			where network_connector_id = @id
			union all
			select 4, 'proxy listener', name, '/settings/notifications/oauth2-proxy/listeners/' || id
			from proxy_listener
			where network_connector_id = @id
			union all
			select 0, 'default of', 'System Parameters', '/settings/system-parameters/application'
			from system_parameter
			where name = 'application' and (value ->> 'default_network_connector_id')::bigint = @id
		) as used
		order by rank, lower(name)`, pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, fmt.Errorf("look for the uses of network connector %d: %w", id, err)
	}
	uses, err := pgx.CollectRows(rows, pgx.RowToStructByName[Use])
	if err != nil {
		return nil, fmt.Errorf("look for the uses of network connector %d: %w", id, err)
	}
	return uses, nil
}

// CredentialUses tells which connectors sign in with each of the credentials.
func (s *Service) CredentialUses(ctx context.Context, ids []int64) (map[int64][]credential.Use, error) {
	rows, err := s.pool.Query(ctx, `
		select credential_id, name, id
		from network_connector
		where credential_id = any(@ids)
		order by lower(name)`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("look for connectors that use credentials: %w", err)
	}
	uses := map[int64][]credential.Use{}
	var credentialID, id int64
	var name string
	_, err = pgx.ForEachRow(rows, []any{&credentialID, &name, &id}, func() error {
		uses[credentialID] = append(uses[credentialID], credential.Use{
			What: "network connector", Name: name, URL: fmt.Sprintf("/settings/network-connectors/%d", id),
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for connectors that use credentials: %w", err)
	}
	return uses, nil
}
