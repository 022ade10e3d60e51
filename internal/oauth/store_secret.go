package oauth

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const secretColumns = `
	id, oauth_client_id, slot, kind, certificate, thumbprint, algorithm, key_id, expires_at, created_at, created_by, proven_at`

// listSecrets returns the slots of one registration, or of all with 0.
func listSecrets(ctx context.Context, q querier, client int64) ([]ClientSecret, error) {
	return allRows[ClientSecret](q.Query(ctx, `
		select `+secretColumns+`
		from oauth_client_secret
		where oauth_client_id = @client or @client = 0
		order by oauth_client_id, slot`, pgx.NamedArgs{"client": client}))
}

// sealedSecret returns what a slot holds.
func sealedSecret(ctx context.Context, q querier, id int64) ([]byte, error) {
	row, err := oneRow[struct{ Sealed []byte }](q.Query(ctx, "select sealed from oauth_client_secret where id = @id", pgx.NamedArgs{"id": id}))
	return row.Sealed, err
}

// replaceSecret fills a slot, whatever it held.
func replaceSecret(ctx context.Context, tx pgx.Tx, c ClientSecret, sealed []byte) error {
	args := pgx.NamedArgs{
		"id": c.ID, "client": c.RegistrationID, "slot": c.Slot, "kind": c.Kind, "sealed": sealed,
		"certificate": c.Certificate, "thumbprint": c.Thumbprint, "algorithm": c.Algorithm, "key_id": c.KeyID,
		"expires_at": c.ExpiresAt, "by": c.CreatedBy,
	}
	if err := deleteSecret(ctx, tx, c.RegistrationID, c.Slot); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		insert into oauth_client_secret (
			id, oauth_client_id, slot, kind, sealed, certificate, thumbprint, algorithm, key_id, expires_at, created_by)
		overriding system value
		values (@id, @client, @slot, @kind, @sealed, @certificate, @thumbprint, @algorithm, @key_id, @expires_at, @by)`, args)
	return err
}

func deleteSecret(ctx context.Context, tx pgx.Tx, client int64, slot int) error {
	_, err := tx.Exec(ctx, "delete from oauth_client_secret where oauth_client_id = @client and slot = @slot",
		pgx.NamedArgs{"client": client, "slot": slot})
	return err
}

func markSecretProven(ctx context.Context, q querier, id int64) error {
	_, err := q.Exec(ctx, "update oauth_client_secret set proven_at = now() where id = @id", pgx.NamedArgs{"id": id})
	return err
}

// expiringRow is an active secret with an end.
type expiringRow struct {
	ID             int64
	RegistrationID int64 `db:"oauth_client_id"`
	Pattern        string
	ClientID       string
	Kind           SecretKind
	ExpiresAt      time.Time
	WarnedDays     *int
}

const expiringQuery = `
	select s.id, s.oauth_client_id, c.pattern, c.client_id, s.kind, s.expires_at, s.warned_days
	from oauth_client_secret s
	join oauth_client c on c.id = s.oauth_client_id and c.active_slot = s.slot
	where s.expires_at <= @until`

// expiringSecrets lists the active secrets that end until then, the first to end first.
func expiringSecrets(ctx context.Context, q querier, until time.Time) ([]expiringRow, error) {
	return allRows[expiringRow](q.Query(ctx, expiringQuery+" order by s.expires_at, s.id", pgx.NamedArgs{"until": until}))
}

// lockExpiring reads one of them for whoever announces it: two processes do not announce the same.
func lockExpiring(ctx context.Context, tx pgx.Tx, id int64, until time.Time) ([]expiringRow, error) {
	return allRows[expiringRow](tx.Query(ctx, expiringQuery+" and s.id = @id for update of s", pgx.NamedArgs{"until": until, "id": id}))
}

func setWarned(ctx context.Context, tx pgx.Tx, id int64, days int) error {
	_, err := tx.Exec(ctx, "update oauth_client_secret set warned_days = @days where id = @id", pgx.NamedArgs{"id": id, "days": days})
	return err
}

func lockSealedSecret(ctx context.Context, tx pgx.Tx, id int64) ([]byte, error) {
	rows, err := allRows[struct{ Sealed []byte }](tx.Query(ctx, "select sealed from oauth_client_secret where id = @id for update", pgx.NamedArgs{"id": id}))
	if err != nil || len(rows) == 0 {
		return nil, err // replaced meanwhile, by the newest key
	}
	return rows[0].Sealed, nil
}

func setSealedSecret(ctx context.Context, tx pgx.Tx, id int64, sealed []byte) error {
	_, err := tx.Exec(ctx, "update oauth_client_secret set sealed = @sealed where id = @id", pgx.NamedArgs{"id": id, "sealed": sealed})
	return err
}
