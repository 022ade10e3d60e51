package identity

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// setupCodes is the system parameter that holds the hashes of the codes printed so far, the newest last.
const setupCodes = "setup_code_hashes"

// addSetupCode keeps the newest codes only.
func addSetupCode(ctx context.Context, q querier, hash string) error {
	return exec(ctx, q, "store setup code", `
		insert into system_parameter as p (name, value, changed_by)
		values (@name, jsonb_build_array(@hash::text), 'orbit')
		on conflict (name) do update
		set value = (
				select jsonb_agg(code order by place)
				from jsonb_array_elements(p.value || excluded.value) with ordinality as kept (code, place)
				where place > jsonb_array_length(p.value) + 1 - @most
			),
			changed_at = now(), version = p.version + 1`,
		pgx.NamedArgs{"name": setupCodes, "hash": hash, "most": mostSetupCodes})
}

// lockSetupCodes lets one /setup at a time look at the codes.
func lockSetupCodes(ctx context.Context, tx pgx.Tx) ([]string, error) {
	rows, err := tx.Query(ctx, `
		select jsonb_array_elements_text(value)
		from (
			select value
			from system_parameter
			where name = @name
			for update
		) locked`,
		pgx.NamedArgs{"name": setupCodes})
	var hashes []string
	if err == nil {
		hashes, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return nil, fmt.Errorf("read setup codes: %w", err)
	}
	return hashes, nil
}

func deleteSetupCodes(ctx context.Context, tx pgx.Tx) error {
	return exec(ctx, tx, "forget setup codes", `delete from system_parameter where name = @name`,
		pgx.NamedArgs{"name": setupCodes})
}
