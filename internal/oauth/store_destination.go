package oauth

import (
	"context"
	"fmt"
	"time"

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

// forgetApproved ends what consents approved that are gone.
const forgetApproved = "delete from oauth_destination where oauth_grant_id in (select id from gone)"

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

// approved is a server that tokens of a grant may go to, or those of all grants of a registration.
type approved struct {
	Grant       int64 // 0: approved with a secret
	Client      int64 // 0: approved by a consent
	Destination string
	ApprovedAt  time.Time
	ApprovedBy  string
}

func (a approved) server() ApprovedServer {
	label := a.Destination
	if to, ok := credential.ParseDestination(a.Destination); ok {
		label = to.Label()
	}
	return ApprovedServer{Server: label, ApprovedAt: a.ApprovedAt, ApprovedBy: a.ApprovedBy}
}

// listApproved returns what counts: of two secrets the one in use.
func listApproved(ctx context.Context, q querier) ([]approved, error) {
	return allRows[approved](q.Query(ctx, `
		select coalesce(d.oauth_grant_id, 0) as "grant", coalesce(c.id, 0) as client, d.destination, d.approved_at, d.approved_by
		from oauth_destination d
		left join oauth_client_secret s on s.id = d.oauth_client_secret_id
		left join oauth_client c on c.id = s.oauth_client_id and c.active_slot = s.slot
		where d.oauth_grant_id is not null or c.id is not null
		order by d.destination`))
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
