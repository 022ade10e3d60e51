package oauth

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/mail/ladder"
)

const grantColumns = `
	id, address, oauth_client_id, state, failed_because, scope, signed_in_as, issued_at, expires_at, refresh_due_at,
	failures, retry_at, fault, failed_at, authorised_at, authorised_by, proven_at, proven_by, created_at, changed_at`

const heldColumns = grantColumns + `, sealed_access, sealed_refresh, sealed_password, generation, consent`

func listGrants(ctx context.Context, q querier, client int64) ([]Grant, error) {
	return allRows[Grant](q.Query(ctx, `
		select `+grantColumns+`
		from oauth_grant
		where oauth_client_id = @client or @client = 0
		order by address`, pgx.NamedArgs{"client": client}))
}

func findGrant(ctx context.Context, q querier, address string) (held, error) {
	return oneRow[held](q.Query(ctx, "select "+heldColumns+" from oauth_grant where address = @address", pgx.NamedArgs{"address": address}))
}

func findGrantByID(ctx context.Context, q querier, id int64) (held, error) {
	return oneRow[held](q.Query(ctx, "select "+heldColumns+" from oauth_grant where id = @id", pgx.NamedArgs{"id": id}))
}

// ensureGrant makes a grant that has nothing yet, unless there is one.
func ensureGrant(ctx context.Context, q querier, address string, client int64) (held, error) {
	_, err := q.Exec(ctx, `
		insert into oauth_grant (address, oauth_client_id)
		values (@address, @client)
		on conflict (address) do nothing`, pgx.NamedArgs{"address": address, "client": client})
	if err != nil {
		return held{}, fmt.Errorf("make a grant for %s: %w", address, err)
	}
	return findGrant(ctx, q, address)
}

// emptied is what a grant looks like without tokens. It stays, so that the address keeps its history.
const emptied = `
	state = 'none', failed_because = '', sealed_access = null, sealed_refresh = null, scope = '', signed_in_as = '',
	issued_at = null, expires_at = null, refresh_due_at = null, generation = generation + 1, consent = consent + 1,
	failures = 0, retry_at = null, fault = null, failed_at = null, authorised_at = null, authorised_by = '',
	proven_at = null, proven_by = '', changed_at = now()`

// moveGrant gives an address to another registration; what the one before obtained is worth nothing there.
func moveGrant(ctx context.Context, q querier, g held, client int64) error {
	_, err := q.Exec(ctx, `
		with gone as (
			update oauth_grant
			set oauth_client_id = @client, `+emptied+`
			where id = @id and oauth_client_id <> @client
			returning id)
		`+forgetApproved, pgx.NamedArgs{"id": g.ID, "client": client})
	return err
}

func emptyGrant(ctx context.Context, tx pgx.Tx, id int64) error {
	_, err := tx.Exec(ctx, `
		with gone as (update oauth_grant set sealed_password = null, `+emptied+` where id = @id returning id)
		`+forgetApproved, pgx.NamedArgs{"id": id})
	return err
}

// emptyGrantsOf takes the tokens of a registration whose endpoints or identity changed.
func emptyGrantsOf(ctx context.Context, tx pgx.Tx, client int64) error {
	_, err := tx.Exec(ctx, `
		with gone as (update oauth_grant set sealed_password = null, `+emptied+` where oauth_client_id = @client returning id)
		`+forgetApproved, pgx.NamedArgs{"client": client})
	return err
}

// claimLease makes owner the one that asks the provider, unless the grant has changed or somebody else
// does. A lease that has run out is taken over: its owner was killed. The clock is the database's.
func claimLease(ctx context.Context, q querier, g held, owner string, lease time.Duration) (bool, error) {
	tag, err := q.Exec(ctx, `
		update oauth_grant
		set lease_owner = @owner, lease_until = now() + @lease
		where id = @id and generation = @generation and (lease_until is null or lease_until <= now())`,
		pgx.NamedArgs{"id": g.ID, "generation": g.Generation, "owner": owner, "lease": lease})
	if err != nil {
		return false, fmt.Errorf("claim the refresh of %s: %w", g.Address, err)
	}
	return tag.RowsAffected() == 1, nil
}

func releaseLease(ctx context.Context, q querier, id int64, owner string) error {
	_, err := q.Exec(ctx, `
		update oauth_grant
		set lease_owner = '', lease_until = null
		where id = @id and lease_owner = @owner`, pgx.NamedArgs{"id": id, "owner": owner})
	return err
}

// obtained is what a token request gave, sealed.
type obtained struct {
	access, refresh []byte // refresh nil: the one before stays
	scope           string
	life            life
}

func (o obtained) args(g held) pgx.NamedArgs {
	return pgx.NamedArgs{
		"id": g.ID, "consent": g.Consent, "access": o.access, "refresh": o.refresh, "scope": o.scope,
		"issued": o.life.issued, "expires": o.life.expires, "due": o.life.refreshDue,
	}
}

// storeRefreshed keeps new tokens of the same consent. It reports false when somebody consented again, or the
// grant was emptied, since it was read. What a mail server refused stays refused until one accepts.
func storeRefreshed(ctx context.Context, tx pgx.Tx, g held, o obtained) (bool, error) {
	tag, err := tx.Exec(ctx, `
		update oauth_grant
		set sealed_access = @access, sealed_refresh = coalesce(@refresh, sealed_refresh),
			scope = coalesce(nullif(@scope, ''), scope), issued_at = @issued, expires_at = @expires, refresh_due_at = @due,
			generation = generation + 1, failures = 0, retry_at = null,
			state = case when failed_because = 'upstream' then 'failed' when proven_at is null then 'waiting' else 'active' end,
			failed_because = case when failed_because = 'upstream' then 'upstream' else '' end,
			fault = case when failed_because = 'upstream' then fault end,
			failed_at = case when failed_because = 'upstream' then failed_at end,
			lease_owner = '', lease_until = null, changed_at = now()
		where id = @id and consent = @consent`, o.args(g))
	if err != nil {
		return false, fmt.Errorf("store the tokens of %s: %w", g.Address, err)
	}
	return tag.RowsAffected() == 1, nil
}

// storeAuthorised keeps the tokens of a new consent, which replaces everything before.
func storeAuthorised(ctx context.Context, tx pgx.Tx, g held, o obtained, client int64, signedInAs, by string) error {
	args := o.args(g)
	args["client"], args["signed_in_as"], args["by"] = client, signedInAs, by
	_, err := tx.Exec(ctx, `
		update oauth_grant
		set oauth_client_id = @client, state = 'waiting', failed_because = '', sealed_access = @access, sealed_refresh = @refresh,
			scope = @scope, signed_in_as = @signed_in_as, issued_at = @issued, expires_at = @expires, refresh_due_at = @due,
			generation = generation + 1, consent = consent + 1, failures = 0, retry_at = null, fault = null, failed_at = null,
			authorised_at = now(), authorised_by = @by, proven_at = null, proven_by = '',
			lease_owner = '', lease_until = null, changed_at = now()
		where id = @id`, args)
	if err != nil {
		return fmt.Errorf("store the tokens of %s: %w", g.Address, err)
	}
	return nil
}

func storePassword(ctx context.Context, tx pgx.Tx, id int64, sealed []byte) error {
	_, err := tx.Exec(ctx, `
		update oauth_grant
		set sealed_password = @sealed, generation = generation + 1, changed_at = now()
		where id = @id`, pgx.NamedArgs{"id": id, "sealed": sealed})
	return err
}

// storeTrouble keeps a temporary failure; the state stays.
func storeTrouble(ctx context.Context, tx pgx.Tx, g held, f ladder.Fault, retryAt time.Time) error {
	_, err := tx.Exec(ctx, `
		update oauth_grant
		set failures = failures + 1, retry_at = @retry_at, fault = @fault, failed_at = now(),
			lease_owner = '', lease_until = null, changed_at = now()
		where id = @id and generation = @generation`,
		pgx.NamedArgs{"id": g.ID, "generation": g.Generation, "fault": f, "retry_at": retryAt})
	return err
}

// storeFailure keeps a failure that somebody has to act on. The tokens stay where they are.
func storeFailure(ctx context.Context, tx pgx.Tx, g held, because Reason, f ladder.Fault, retryAt time.Time) error {
	_, err := tx.Exec(ctx, `
		update oauth_grant
		set state = 'failed', failed_because = @because, failures = failures + 1, retry_at = @retry_at,
			fault = @fault, failed_at = now(), lease_owner = '', lease_until = null, changed_at = now()
		where id = @id and generation = @generation`,
		pgx.NamedArgs{"id": g.ID, "generation": g.Generation, "because": because, "fault": f, "retry_at": retryAt})
	return err
}

// flagGrantsOf marks all grants of a client that the provider refuses. Rows that another process works on
// at this moment get their own verdict.
func flagGrantsOf(ctx context.Context, tx pgx.Tx, client int64, f ladder.Fault, retryAt time.Time) error {
	_, err := tx.Exec(ctx, `
		update oauth_grant
		set state = 'failed', failed_because = 'client', fault = @fault, failed_at = now(), retry_at = @retry_at, changed_at = now()
		where id in (
			select id from oauth_grant
			where oauth_client_id = @client and state in ('waiting', 'active')
			for update skip locked)`,
		pgx.NamedArgs{"client": client, "fault": f, "retry_at": retryAt})
	return err
}

// unflagGrantsOf undoes flagGrantsOf once the provider accepts the client.
func unflagGrantsOf(ctx context.Context, tx pgx.Tx, client int64) error {
	_, err := tx.Exec(ctx, `
		update oauth_grant
		set state = case when proven_at is not null then 'active' when sealed_access is not null then 'waiting' else 'none' end,
			failed_because = '', fault = null, failed_at = null, retry_at = null, failures = 0, changed_at = now()
		where id in (
			select id from oauth_grant
			where oauth_client_id = @client and failed_because = 'client'
			for update skip locked)`, pgx.NamedArgs{"client": client})
	return err
}

// dropAccess forgets an access token that a mail server refused.
func dropAccess(ctx context.Context, tx pgx.Tx, g held) error {
	_, err := tx.Exec(ctx, `
		update oauth_grant
		set sealed_access = null, issued_at = null, expires_at = null, refresh_due_at = now(),
			generation = generation + 1, changed_at = now()
		where id = @id and generation = @generation`, pgx.NamedArgs{"id": g.ID, "generation": g.Generation})
	return err
}

func storeProof(ctx context.Context, tx pgx.Tx, id int64, by string) error {
	_, err := tx.Exec(ctx, `
		update oauth_grant
		set state = 'active', failed_because = '', proven_at = now(), proven_by = @by, fault = null, failed_at = null,
			failures = 0, retry_at = null, changed_at = now()
		where id = @id and sealed_access is not null`, pgx.NamedArgs{"id": id, "by": by})
	return err
}

// dueGrants lists addresses whose access token is in the last part of its life, the oldest first.
func dueGrants(ctx context.Context, q querier, now time.Time, limit int) ([]string, error) {
	rows, err := q.Query(ctx, `
		select address
		from oauth_grant
		where state in ('waiting', 'active') and refresh_due_at <= @now
			and (retry_at is null or retry_at <= @now)
			and (lease_until is null or lease_until <= now())
		order by refresh_due_at
		limit @limit`, pgx.NamedArgs{"now": now, "limit": limit})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// storeRemark keeps what a mail server said without judging the grant.
func storeRemark(ctx context.Context, tx pgx.Tx, id int64, f ladder.Fault) error {
	_, err := tx.Exec(ctx, `
		update oauth_grant
		set fault = @fault, failed_at = now(), changed_at = now()
		where id = @id`, pgx.NamedArgs{"id": id, "fault": f})
	return err
}

// storeRefusal keeps that a mail server refuses the tokens of a grant.
func storeRefusal(ctx context.Context, tx pgx.Tx, id int64, f ladder.Fault) error {
	_, err := tx.Exec(ctx, `
		update oauth_grant
		set state = 'failed', failed_because = 'upstream', fault = @fault, failed_at = now(), changed_at = now()
		where id = @id`, pgx.NamedArgs{"id": id, "fault": f})
	return err
}

func lockGrantsOf(ctx context.Context, tx pgx.Tx, client int64) ([]held, error) {
	return allRows[held](tx.Query(ctx, `
		select `+heldColumns+`
		from oauth_grant
		where oauth_client_id = @client
		order by id
		for update`, pgx.NamedArgs{"client": client}))
}

// setSealedToken replaces a sealed value by itself under another key; column is one of ours.
func setSealedToken(ctx context.Context, tx pgx.Tx, id int64, column string, sealed []byte) error {
	_, err := tx.Exec(ctx, "update oauth_grant set "+column+" = @sealed where id = @id", pgx.NamedArgs{"id": id, "sealed": sealed})
	return err
}
