package oauth

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// nextID reserves an id in a table, because what is sealed is bound to its row.
func nextID(ctx context.Context, tx pgx.Tx, table string) (int64, error) {
	var id int64
	err := tx.QueryRow(ctx, "select nextval(pg_get_serial_sequence(@table, 'id'))", pgx.NamedArgs{"table": table}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("reserve a row of %s: %w", table, err)
	}
	return id, nil
}

// start is a start address.
type start struct {
	ID        int64
	GrantID   int64 `db:"oauth_grant_id"`
	CreatedBy string
}

func insertStart(ctx context.Context, tx pgx.Tx, hash []byte, grant int64, by string, expires time.Time) (int64, error) {
	var id int64
	err := tx.QueryRow(ctx, `
		insert into oauth_start (id_hash, oauth_grant_id, created_by, expires_at)
		values (@hash, @grant, @by, @expires)
		returning id`, pgx.NamedArgs{"hash": hash, "grant": grant, "by": by, "expires": expires}).Scan(&id)
	return id, err
}

func findStart(ctx context.Context, q querier, hash []byte, now time.Time) (start, error) {
	return oneRow[start](q.Query(ctx, `
		select id, oauth_grant_id, created_by
		from oauth_start
		where id_hash = @hash and expires_at > @now`, pgx.NamedArgs{"hash": hash, "now": now}))
}

// endStarts closes the start addresses of a grant: whoever finds one later must not replace what works.
func endStarts(ctx context.Context, pool *pgxpool.Pool, grant int64, now time.Time) error {
	_, err := pool.Exec(ctx, `
		update oauth_start
		set expires_at = @now
		where oauth_grant_id = @grant and expires_at > @now`, pgx.NamedArgs{"grant": grant, "now": now})
	return err
}

// trip is one visit to the provider's consent page and back.
type trip struct {
	ID             int64
	GrantID        int64 `db:"oauth_grant_id"`
	RegistrationID int64 `db:"oauth_client_id"`
	SealedVerifier []byte
	RedirectURI    string
	StartedBy      string
	Outcome        *Outcome
}

const tripColumns = `id, oauth_grant_id, oauth_client_id, sealed_verifier, redirect_uri, started_by, outcome`

func insertTrip(ctx context.Context, tx pgx.Tx, t trip, hash []byte, bound Bound, expires time.Time) error {
	_, err := tx.Exec(ctx, `
		insert into oauth_authorization (
			id, state_hash, oauth_grant_id, oauth_client_id, oauth_start_id, session_hash, sealed_verifier,
			redirect_uri, started_by, expires_at)
		overriding system value
		values (@id, @hash, @grant, @client, nullif(@start, 0), @session, @verifier, @redirect_uri, @by, @expires)`,
		pgx.NamedArgs{
			"id": t.ID, "hash": hash, "grant": t.GrantID, "client": t.RegistrationID, "start": bound.start,
			"session": nilIfEmpty(bound.Session), "verifier": t.SealedVerifier, "redirect_uri": t.RedirectURI,
			"by": t.StartedBy, "expires": expires,
		})
	return err
}

func nilIfEmpty(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// useTrip takes the single use of a state, in the browser that began it. Everything else about a request
// that does not fit stays as it was.
func useTrip(ctx context.Context, q querier, hash, session []byte, now time.Time) (trip, error) {
	return oneRow[trip](q.Query(ctx, `
		update oauth_authorization
		set used_at = @now
		where state_hash = @hash and used_at is null and expires_at > @now
			and (session_hash is null or session_hash = @session)
		returning `+tripColumns, pgx.NamedArgs{"hash": hash, "session": nilIfEmpty(session), "now": now}))
}

// usedTrip finds a state that was used before, for somebody who reloads the page.
func usedTrip(ctx context.Context, q querier, hash, session []byte) (trip, error) {
	return oneRow[trip](q.Query(ctx, `
		select `+tripColumns+`
		from oauth_authorization
		where state_hash = @hash and used_at is not null
			and (session_hash is null or session_hash = @session)`,
		pgx.NamedArgs{"hash": hash, "session": nilIfEmpty(session)}))
}

func storeTripOutcome(ctx context.Context, q querier, id int64, o Outcome) error {
	_, err := q.Exec(ctx, "update oauth_authorization set outcome = @outcome where id = @id", pgx.NamedArgs{"id": id, "outcome": o})
	return err
}

// device is a device flow that somebody is asked to finish.
type device struct {
	ID              int64
	GrantID         int64 `db:"oauth_grant_id"`
	RegistrationID  int64 `db:"oauth_client_id"`
	SealedCode      []byte
	UserCode        string
	URI             string `db:"verification_uri"`
	URIComplete     string `db:"verification_uri_complete"`
	IntervalSeconds int
	StartedBy       string
	ExpiresAt       time.Time
	Outcome         *Outcome
}

const deviceColumns = `
	id, oauth_grant_id, oauth_client_id, sealed_code, user_code, verification_uri, verification_uri_complete,
	interval_seconds, started_by, expires_at, outcome`

func insertDevice(ctx context.Context, tx pgx.Tx, d device, nextPoll time.Time) error {
	_, err := tx.Exec(ctx, `
		insert into oauth_device (
			id, oauth_grant_id, oauth_client_id, sealed_code, user_code, verification_uri, verification_uri_complete,
			interval_seconds, next_poll_at, started_by, expires_at)
		overriding system value
		values (@id, @grant, @client, @code, @user_code, @uri, @uri_complete, @interval, @next_poll, @by, @expires)`,
		pgx.NamedArgs{
			"id": d.ID, "grant": d.GrantID, "client": d.RegistrationID, "code": d.SealedCode, "user_code": d.UserCode,
			"uri": d.URI, "uri_complete": d.URIComplete, "interval": d.IntervalSeconds, "next_poll": nextPoll,
			"by": d.StartedBy, "expires": d.ExpiresAt,
		})
	return err
}

func pendingDevice(ctx context.Context, q querier, grant int64, now time.Time) (device, error) {
	return oneRow[device](q.Query(ctx, `
		select `+deviceColumns+`
		from oauth_device
		where oauth_grant_id = @grant and ended_at is null and expires_at > @now`, pgx.NamedArgs{"grant": grant, "now": now}))
}

// claimPoll takes the device flow whose turn it is. The next poll stands in the row before this one is made,
// far enough away for the request to end, so no other process polls the same code.
func claimPoll(ctx context.Context, q querier, now time.Time, request time.Duration) (device, error) {
	return oneRow[device](q.Query(ctx, `
		update oauth_device
		set next_poll_at = @now::timestamptz + @request::interval + make_interval(secs => interval_seconds)
		where id = (
			select id from oauth_device
			where ended_at is null and next_poll_at <= @now
			order by next_poll_at
			limit 1
			for update skip locked)
		returning `+deviceColumns, pgx.NamedArgs{"now": now, "request": request}))
}

// lastDevice is the newest device flow of a grant, ended or not.
func lastDevice(ctx context.Context, q querier, grant int64) (device, error) {
	return oneRow[device](q.Query(ctx, `
		select `+deviceColumns+`
		from oauth_device
		where oauth_grant_id = @grant
		order by id desc
		limit 1`, pgx.NamedArgs{"grant": grant}))
}

func setNextPoll(ctx context.Context, q querier, id int64, interval int, at time.Time) error {
	_, err := q.Exec(ctx, `
		update oauth_device
		set interval_seconds = @interval, next_poll_at = @at
		where id = @id and ended_at is null`, pgx.NamedArgs{"id": id, "interval": interval, "at": at})
	return err
}

func endDevice(ctx context.Context, q querier, id int64, now time.Time, o *Outcome) error {
	_, err := q.Exec(ctx, `
		update oauth_device
		set ended_at = @now, outcome = @outcome
		where id = @id and ended_at is null`, pgx.NamedArgs{"id": id, "now": now, "outcome": o})
	return err
}

// endExpiredDevices closes the flows of an address that nobody finished.
func endExpiredDevices(ctx context.Context, q querier, grant int64, now time.Time) error {
	_, err := q.Exec(ctx, `
		update oauth_device
		set ended_at = @now
		where oauth_grant_id = @grant and ended_at is null and expires_at <= @now`, pgx.NamedArgs{"grant": grant, "now": now})
	return err
}

// nextPollAt says when the next device flow has its turn; the zero time when there is none.
func nextPollAt(ctx context.Context, q querier) (time.Time, error) {
	row, err := oneRow[struct{ At *time.Time }](q.Query(ctx, "select min(next_poll_at) as at from oauth_device where ended_at is null"))
	if err != nil || row.At == nil {
		return time.Time{}, err
	}
	return *row.At, nil
}

// sweep removes what ended before that time.
func sweep(ctx context.Context, q querier, before time.Time) error {
	for _, table := range []string{"oauth_authorization", "oauth_device", "oauth_start"} {
		_, err := q.Exec(ctx, "delete from "+table+" where expires_at < @before", pgx.NamedArgs{"before": before})
		if err != nil {
			return fmt.Errorf("sweep %s: %w", table, err)
		}
	}
	return nil
}
