package credential

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// querier is a pool or a transaction.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

const selectCredential = `
	select id, name, username, created_at, changed_at, changed_by, version,
	       (select max(last_used_at) from credential_secret where credential_id = credential.id) as last_used_at
	  from credential`

// lockMode says how long others may not touch the credential that was read.
type lockMode string

const (
	unlocked  lockMode = ``
	forShare  lockMode = ` for share`  // nobody changes it until commit
	forUpdate lockMode = ` for update` // and nobody else locks it, or points to it anew
)

func selectAll(ctx context.Context, q querier) ([]Credential, error) {
	rows, err := q.Query(ctx, selectCredential+` order by lower(name)`)
	if err != nil {
		return nil, fmt.Errorf("list credentials: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Credential])
}

func selectOne(ctx context.Context, q querier, id int64, lock lockMode) (Credential, error) {
	rows, err := q.Query(ctx, selectCredential+` where id = @id`+string(lock), pgx.NamedArgs{"id": id})
	if err != nil {
		return Credential{}, fmt.Errorf("find credential %d: %w", id, err)
	}
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Credential])
	if errors.Is(err, pgx.ErrNoRows) {
		return Credential{}, problem.ErrNotFound
	}
	if err != nil {
		return Credential{}, fmt.Errorf("find credential %d: %w", id, err)
	}
	return c, nil
}

func insertCredential(ctx context.Context, q querier, name, username, by string) (id int64, err error) {
	err = q.QueryRow(ctx, `
		insert into credential (name, username, changed_by)
		values (@name, @username, @by)
		returning id`,
		pgx.NamedArgs{"name": name, "username": username, "by": by}).Scan(&id)
	return id, explain(err, name)
}

// updateCredential also notes who and when, and makes a new version.
func updateCredential(ctx context.Context, q querier, c Credential, by string) error {
	_, err := q.Exec(ctx, `
		update credential
		   set name = @name, username = @username, changed_at = now(), changed_by = @by, version = version + 1
		 where id = @id`,
		pgx.NamedArgs{"id": c.ID, "name": c.Name, "username": c.Username, "by": by})
	return explain(err, c.Name)
}

func deleteCredential(ctx context.Context, q querier, id int64) error {
	_, err := q.Exec(ctx, `delete from credential where id = @id`, pgx.NamedArgs{"id": id})
	return err
}

// explain turns the constraint of the name into a problem with the field.
func explain(err error, name string) error {
	if postgres.Constraint(err) == "credential_name_unique" {
		return otherName(name)
	}
	return err
}

func otherName(taken string) problem.Invalid {
	var wrong problem.Invalid
	wrong.Add("name", "Another credential is called %s; choose another name.", taken)
	return wrong
}

// nameTaken reports whether a credential has the name, in any case.
func nameTaken(ctx context.Context, q querier, name string) (taken bool, err error) {
	err = q.QueryRow(ctx, `select exists (select from credential where lower(name) = lower(@name))`, pgx.NamedArgs{"name": name}).Scan(&taken)
	if err != nil {
		return false, fmt.Errorf("look for a credential of the same name: %w", err)
	}
	return taken, nil
}

// copyRow is the secret of a credential, sealed for one destination.
type copyRow struct {
	CredentialID int64
	Destination  string
	Sealed       vault.Sealed
}

const selectCopy = `
	select credential_id, destination, sealed
	  from credential_secret`

// selectCopies lists the copies of a credential; with forUpdate nobody else changes them until commit.
func selectCopies(ctx context.Context, q querier, id int64, lock lockMode) ([]copyRow, error) {
	rows, err := q.Query(ctx, selectCopy+` where credential_id = @id order by destination`+string(lock), pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, fmt.Errorf("list the copies of credential %d: %w", id, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[copyRow])
}

// useRow is a copy without what is sealed.
type useRow struct {
	CredentialID int64
	Destination  string
	LastUsedAt   *time.Time
}

func selectUses(ctx context.Context, q querier, ids []int64) ([]useRow, error) {
	rows, err := q.Query(ctx, `
		select credential_id, destination, last_used_at
		  from credential_secret
		 where credential_id = any(@ids)
		 order by credential_id, destination`,
		pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("list the destinations of credentials: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[useRow])
}

// selectSealed returns nil when there is no copy for the destination.
func selectSealed(ctx context.Context, q querier, id int64, destination string) (vault.Sealed, error) {
	var sealed vault.Sealed
	err := q.QueryRow(ctx, `
		select sealed
		  from credential_secret
		 where credential_id = @id and destination = @destination`,
		pgx.NamedArgs{"id": id, "destination": destination}).Scan(&sealed)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("read the secret of credential %d: %w", id, err)
	}
	return sealed, nil
}

func putSealed(ctx context.Context, q querier, id int64, destination string, sealed vault.Sealed) error {
	_, err := q.Exec(ctx, `
		insert into credential_secret (credential_id, destination, sealed)
		values (@id, @destination, @sealed)
		on conflict (credential_id, destination) do update set sealed = excluded.sealed`,
		pgx.NamedArgs{"id": id, "destination": destination, "sealed": []byte(sealed)})
	return err
}

// deleteCopies drops what belonged to another username.
func deleteCopies(ctx context.Context, q querier, id int64) error {
	_, err := q.Exec(ctx, `delete from credential_secret where credential_id = @id`, pgx.NamedArgs{"id": id})
	return err
}

func touchCopy(ctx context.Context, q querier, id int64, destination string) error {
	_, err := q.Exec(ctx, `
		update credential_secret
		   set last_used_at = now()
		 where credential_id = @id and destination = @destination`,
		pgx.NamedArgs{"id": id, "destination": destination})
	return err
}

// selectFingerprint changes whenever a credential does.
func selectFingerprint(ctx context.Context, q querier) (fingerprint string, err error) {
	err = q.QueryRow(ctx, `
		select coalesce(md5(string_agg(id || ':' || version, ',' order by id)), '')
		  from credential`).Scan(&fingerprint)
	return fingerprint, err
}

// loginRow is what a sign-in at an own listener is compared with.
type loginRow struct {
	ID       int64
	Username string
	Sealed   vault.Sealed
}

func selectLogins(ctx context.Context, q querier) ([]loginRow, error) {
	rows, err := q.Query(ctx, `
		select id, username, sealed
		  from credential
		  join credential_secret on credential_id = id
		 where destination = @self
		 order by id`,
		pgx.NamedArgs{"self": selfText})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[loginRow])
}

func selectIDs(ctx context.Context, q querier) ([]int64, error) {
	rows, err := q.Query(ctx, `select id from credential order by id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
