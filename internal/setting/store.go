package setting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// applicationName is the row of system_parameter that holds an Application.
const applicationName = "application"

// queryer is a pool or a transaction.
type queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

type row struct {
	Value     []byte // JSON
	ChangedAt time.Time
	ChangedBy string
	Version   int
}

const selectRow = `
	select value, changed_at, changed_by, version
	  from system_parameter
	 where name = @name`

func selectApplication(ctx context.Context, q queryer) (Application, error) {
	return readApplication(ctx, q, selectRow)
}

// lockApplication makes sure that there is a row to lock, with version 0 when nothing was saved before.
func lockApplication(ctx context.Context, tx pgx.Tx) (Application, error) {
	_, err := tx.Exec(ctx, `
		insert into system_parameter (name, value, version)
		values (@name, '{}', 0)
		on conflict (name) do nothing`,
		pgx.NamedArgs{"name": applicationName})
	if err != nil {
		return Application{}, fmt.Errorf("lock the application parameters: %w", err)
	}
	return readApplication(ctx, tx, selectRow+` for update`)
}

// readApplication lays what is stored over the defaults.
func readApplication(ctx context.Context, q queryer, sql string) (Application, error) {
	a := Default()
	rows, err := q.Query(ctx, sql, pgx.NamedArgs{"name": applicationName})
	if err != nil {
		return a, fmt.Errorf("read the application parameters: %w", err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[row])
	if errors.Is(err, pgx.ErrNoRows) {
		return a, nil
	}
	if err == nil {
		err = json.Unmarshal(r.Value, &a)
	}
	if err != nil {
		return a, fmt.Errorf("read the application parameters: %w", err)
	}
	a.Version, a.ChangedAt, a.ChangedBy = r.Version, r.ChangedAt, r.ChangedBy
	return a, nil
}

func updateApplication(ctx context.Context, tx pgx.Tx, a Application, by string) error {
	value, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		update system_parameter
		   set value = @value, changed_at = now(), changed_by = @by, version = version + 1
		 where name = @name`,
		pgx.NamedArgs{"name": applicationName, "value": string(value), "by": by})
	if err != nil {
		return fmt.Errorf("store the application parameters: %w", err)
	}
	return nil
}

// connectorUsable also keeps the connector from being deleted until commit.
func connectorUsable(ctx context.Context, tx pgx.Tx, id int64) (usable bool, err error) {
	err = tx.QueryRow(ctx, `
		select active
		  from network_connector
		 where id = @id
		   for key share`,
		pgx.NamedArgs{"id": id}).Scan(&usable)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for network connector %d: %w", id, err)
	}
	return usable, nil
}
