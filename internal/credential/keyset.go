package credential

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/vault"
)

// keysetLock is the advisory lock under which the keyset is created and changed ("orbitkey").
const keysetLock int64 = 0x6f72_6269_746b_6579

// reloadLimit bounds the query that fetches keys which another process has changed.
const reloadLimit = 5 * time.Second

// OpenBox opens the keys of this database with the key file. The first start, with no keys in the database,
// makes them; created says that the key file was made too, so its path should be shown to be backed up. A
// database that has keys is never given new ones: a *vault.KeyFileError says what is wrong with the file.
func OpenBox(ctx context.Context, pool *pgxpool.Pool, keyFile string) (box *vault.Box, created bool, err error) {
	reload := vault.ReloadFrom(func() ([]byte, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reloadLimit)
		defer cancel()
		return selectKeyset(ctx, pool)
	})
	err = inKeysetTx(ctx, pool, func(tx pgx.Tx, stored []byte) error {
		if stored != nil {
			box, err = vault.OpenKeyset(keyFile, stored, reload)
			return err
		}
		if err := refuseLostKeyset(ctx, tx); err != nil {
			return err
		}
		if created, err = vault.CreateKeyFile(keyFile); err != nil {
			return err
		}
		if box, stored, err = vault.NewKeyset(keyFile, reload); err != nil {
			return err
		}
		return putKeyset(ctx, tx, stored)
	})
	if err != nil {
		return nil, false, err
	}
	return box, created, nil
}

// ErrKeysetLost says that secrets were restored without the keys that open them.
var ErrKeysetLost = errors.New("this database holds sealed secrets but not their keys (table vault_keyset is empty): restore the whole database from the backup")

// refuseLostKeyset keeps new keys from hiding the loss of the old ones.
func refuseLostKeyset(ctx context.Context, tx pgx.Tx) error {
	var sealed bool
	if err := tx.QueryRow(ctx, `select exists (select from credential_secret)`).Scan(&sealed); err != nil {
		return fmt.Errorf("look for sealed secrets: %w", err)
	}
	if sealed {
		return ErrKeysetLost
	}
	return nil
}

// RotateKeys adds a data key and seals with it from now on. Other processes follow when they first meet a value
// that is sealed by it. What was sealed before still opens; Service.Reseal seals it anew.
func RotateKeys(ctx context.Context, pool *pgxpool.Pool, box *vault.Box) error {
	rotated, err := changeKeyset(ctx, pool, box, "vault_keyset.rotated", box.Rotate)
	if err != nil {
		return err
	}
	return box.Reload(rotated)
}

// ChangeKeyFile has the same data keys sealed by another key file, which is made when it does not exist. The
// old file stays where it is. Running processes go on with the keys they hold; for the next change of keys,
// and the next start, ORBIT_KEYSET_FILE must name the new file.
func ChangeKeyFile(ctx context.Context, pool *pgxpool.Pool, box *vault.Box, keyFile string) error {
	_, err := changeKeyset(ctx, pool, box, "vault_keyset.key_file_changed", func() ([]byte, error) {
		return box.ChangeKeyFile(keyFile)
	})
	return err
}

// changeKeyset stores what change makes of the newest keys.
func changeKeyset(ctx context.Context, pool *pgxpool.Pool, box *vault.Box, action string, change func() ([]byte, error)) (changed []byte, err error) {
	err = inKeysetTx(ctx, pool, func(tx pgx.Tx, stored []byte) error {
		if err := box.Reload(stored); err != nil {
			return err
		}
		if changed, err = change(); err != nil {
			return err
		}
		if err := putKeyset(ctx, tx, changed); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: action, Object: "vault_keyset"})
	})
	return changed, err
}

// inKeysetTx gives do the stored keyset, nil when there is none, and lets nobody else change it meanwhile.
func inKeysetTx(ctx context.Context, pool *pgxpool.Pool, do func(tx pgx.Tx, stored []byte) error) error {
	return postgres.InTx(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(@lock)`, pgx.NamedArgs{"lock": keysetLock}); err != nil {
			return fmt.Errorf("lock the keyset: %w", err)
		}
		stored, err := selectKeyset(ctx, tx)
		if err != nil {
			return err
		}
		return do(tx, stored)
	})
}

func selectKeyset(ctx context.Context, q querier) ([]byte, error) {
	var sealed []byte
	err := q.QueryRow(ctx, `select sealed from vault_keyset`).Scan(&sealed)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("read the keyset: %w", err)
	}
	return sealed, nil
}

func putKeyset(ctx context.Context, q querier, sealed []byte) error {
	_, err := q.Exec(ctx, `
		insert into vault_keyset (sealed)
		values (@sealed)
		on conflict (only_row) do update set sealed = excluded.sealed, changed_at = now()`,
		pgx.NamedArgs{"sealed": sealed})
	if err != nil {
		return fmt.Errorf("store the keyset: %w", err)
	}
	return nil
}
