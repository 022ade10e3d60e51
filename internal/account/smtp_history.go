package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/problem"
)

const testColumns = `
	id, coalesce(smtp_account_id, 0) as smtp_account_id, account_name, recipient, subject, state, message_id,
	reply, server, steps, started_at, ended_at, started_by`

func insertSMTPTest(ctx context.Context, tx pgx.Tx, t SMTPTest) (SMTPTest, error) {
	rows, err := tx.Query(ctx, `
		insert into smtp_test (smtp_account_id, account_name, recipient, subject, state, started_by)
		values (nullif(@account, 0), @account_name, @recipient, @subject, 'running', @by)
		returning `+testColumns, pgx.NamedArgs{
		"account": t.SMTPAccountID, "account_name": t.AccountName, "recipient": t.Recipient,
		"subject": t.Subject, "by": t.StartedBy,
	})
	if err != nil {
		return SMTPTest{}, fmt.Errorf("record a test: %w", err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[SMTPTest])
}

func saveTestSteps(ctx context.Context, pool *pgxpool.Pool, t SMTPTest) error {
	steps, err := json.Marshal(t.Steps)
	if err != nil {
		return fmt.Errorf("encode the steps: %w", err)
	}
	_, err = pool.Exec(ctx, "update smtp_test set steps = @steps where id = @id", pgx.NamedArgs{"id": t.ID, "steps": steps})
	return err
}

func endSMTPTest(ctx context.Context, pool *pgxpool.Pool, t SMTPTest) error {
	steps, err := json.Marshal(t.Steps)
	if err != nil {
		return fmt.Errorf("encode the steps: %w", err)
	}
	_, err = pool.Exec(ctx, `
		update smtp_test
		set state = @state, message_id = @message_id, reply = @reply, server = @server, steps = @steps, ended_at = @ended_at
		where id = @id`, pgx.NamedArgs{
		"id": t.ID, "state": t.State, "message_id": t.MessageID, "reply": t.Reply, "server": t.Server, "steps": steps, "ended_at": t.EndedAt,
	})
	if err != nil {
		return fmt.Errorf("record the end of test %d: %w", t.ID, err)
	}
	return nil
}

// endAbandonedTests closes what a process that was killed left running.
func endAbandonedTests(ctx context.Context, pool *pgxpool.Pool, before time.Time) error {
	_, err := pool.Exec(ctx, `
		update smtp_test
		set state = 'failed', reply = @reason, ended_at = now()
		where state = 'running' and started_at < @before`,
		pgx.NamedArgs{"reason": abandonedTest, "before": before})
	return err
}

// deleteOldTests removes what ended before a day.
func deleteOldTests(ctx context.Context, pool *pgxpool.Pool, before time.Time) error {
	_, err := pool.Exec(ctx, "delete from smtp_test where ended_at < @before", pgx.NamedArgs{"before": before})
	return err
}

func findSMTPTest(ctx context.Context, pool *pgxpool.Pool, id int64) (SMTPTest, error) {
	rows, err := pool.Query(ctx, "select "+testColumns+" from smtp_test where id = @id", pgx.NamedArgs{"id": id})
	if err != nil {
		return SMTPTest{}, fmt.Errorf("read test %d: %w", id, err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[SMTPTest])
	if errors.Is(err, pgx.ErrNoRows) {
		return SMTPTest{}, problem.ErrNotFound
	}
	return found, err
}

func listSMTPTests(ctx context.Context, pool *pgxpool.Pool, accountID int64, limit int) ([]SMTPTest, error) {
	rows, err := pool.Query(ctx, `
		select `+testColumns+`
		from smtp_test
		where smtp_account_id = @account
		order by id desc
		limit @limit`, pgx.NamedArgs{"account": accountID, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list the tests of account %d: %w", accountID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[SMTPTest])
}
