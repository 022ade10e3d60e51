package oauth

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/credential"
)

// isApproved reports whether tokens of a grant may go to a destination: by its consent, or by the secret with which
// its registration obtains them without anybody.
func isApproved(ctx context.Context, q querier, g held, r Registration, destination string) (bool, error) {
	row, err := oneRow[struct{ Approved bool }](q.Query(ctx, `
		select exists (
			select from oauth_destination
			where destination = @destination
				and (oauth_grant_id = @grant or @app_only and oauth_client_secret_id = (
					select id from oauth_client_secret where oauth_client_id = @client and slot = @slot))) as approved`,
		pgx.NamedArgs{
			"destination": destination, "grant": g.ID, "client": r.ID, "slot": r.ActiveSlot, "app_only": r.EffectiveFlow().appOnly(),
		}))
	return row.Approved, err
}

// replaceApproved keeps where tokens of the consent that is being stored may go.
func replaceApproved(ctx context.Context, tx pgx.Tx, grant int64, all []credential.Destination, by string) error {
	if _, err := tx.Exec(ctx, "delete from oauth_destination where oauth_grant_id = @grant", pgx.NamedArgs{"grant": grant}); err != nil {
		return fmt.Errorf("forget approved servers: %w", err)
	}
	return approve(ctx, tx, pgx.NamedArgs{"grant": grant, "secret": nil, "by": by}, all)
}

// insertApproved keeps where tokens that are obtained with a new secret may go.
func insertApproved(ctx context.Context, tx pgx.Tx, secret int64, all []credential.Destination, by string) error {
	return approve(ctx, tx, pgx.NamedArgs{"grant": nil, "secret": secret, "by": by}, all)
}

func approve(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs, all []credential.Destination) error {
	texts := make([]string, len(all))
	for i, to := range all {
		texts[i] = to.String()
	}
	args["destinations"] = texts
	_, err := tx.Exec(ctx, `
		insert into oauth_destination (oauth_grant_id, oauth_client_secret_id, destination, approved_by)
		select distinct @grant::bigint, @secret::bigint, destination, @by
		from unnest(@destinations::text[]) as destination`, args)
	if err != nil {
		return fmt.Errorf("approve servers: %w", err)
	}
	return nil
}

// dropAccessOf forgets the access tokens of a registration, and those that somebody asks for at this moment.
func dropAccessOf(ctx context.Context, tx pgx.Tx, client int64) error {
	_, err := tx.Exec(ctx, `
		update oauth_grant
		set refresh_due_at = case when sealed_access is not null then now() end, sealed_access = null, issued_at = null,
			expires_at = null, generation = generation + 1, consent = consent + 1, changed_at = now()
		where oauth_client_id = @client`, pgx.NamedArgs{"client": client})
	return err
}
