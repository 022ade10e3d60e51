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

// testTable is where the tests of one kind of account are kept.
type testTable struct {
	name    string
	account string // the column that points to the account
	own     string // the columns that only this kind has
}

var (
	smtpTests    = testTable{name: "smtp_test", account: "smtp_account_id", own: "recipient, subject, message_id"}
	mailboxTests = testTable{name: "mailbox_test", account: "mailbox_account_id", own: "protocol, mailbox"}
)

// columns lists everything; the account of values that were not saved is 0 in Go and null in the table.
func (t testTable) columns() string {
	return "id, coalesce(" + t.account + ", 0) as " + t.account + ", account_name, " + t.own +
		", state, reply, server, steps, started_at, ended_at, started_by"
}

func saveTestSteps(ctx context.Context, pool *pgxpool.Pool, table testTable, t *Test) error {
	steps, err := json.Marshal(t.Steps)
	if err != nil {
		return fmt.Errorf("encode the steps: %w", err)
	}
	_, err = pool.Exec(ctx, "update "+table.name+" set steps = @steps where id = @id", pgx.NamedArgs{"id": t.ID, "steps": steps})
	return err
}

func endTest(ctx context.Context, pool *pgxpool.Pool, table testTable, t *Test) error {
	steps, err := json.Marshal(t.Steps)
	if err != nil {
		return fmt.Errorf("encode the steps: %w", err)
	}
	_, err = pool.Exec(ctx, `
		update `+table.name+`
		set state = @state, reply = @reply, server = @server, steps = @steps, ended_at = @ended_at
		where id = @id`, pgx.NamedArgs{
		"id": t.ID, "state": t.State, "reply": t.Reply, "server": t.Server, "steps": steps, "ended_at": t.EndedAt,
	})
	if err != nil {
		return fmt.Errorf("record the end of test %d: %w", t.ID, err)
	}
	return nil
}

// touchTest says that somebody works on a test.
func touchTest(ctx context.Context, pool *pgxpool.Pool, table testTable, id int64) error {
	_, err := pool.Exec(ctx, "update "+table.name+" set alive_at = now() where id = @id", pgx.NamedArgs{"id": id})
	return err
}

// endAbandonedTests closes what a process that was killed left running. The clock is the database's alone.
func endAbandonedTests(ctx context.Context, pool *pgxpool.Pool, table testTable) error {
	_, err := pool.Exec(ctx, `
		update `+table.name+`
		set state = 'failed', reply = @reason, ended_at = now()
		where state = 'running' and alive_at < now() - @alive::interval`,
		pgx.NamedArgs{"reason": abandonedTest, "alive": aliveFor})
	return err
}

// deleteOldTests removes what ended before a day.
func deleteOldTests(ctx context.Context, pool *pgxpool.Pool, table testTable, before time.Time) error {
	_, err := pool.Exec(ctx, "delete from "+table.name+" where ended_at < @before", pgx.NamedArgs{"before": before})
	return err
}

// findTest returns a test as far as it is, or problem.ErrNotFound.
func findTest[T any](ctx context.Context, pool *pgxpool.Pool, table testTable, id int64) (T, error) {
	rows, err := pool.Query(ctx, "select "+table.columns()+" from "+table.name+" where id = @id", pgx.NamedArgs{"id": id})
	if err != nil {
		var none T
		return none, fmt.Errorf("read test %d: %w", id, err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	if errors.Is(err, pgx.ErrNoRows) {
		return found, problem.ErrNotFound
	}
	return found, err
}

// listTests returns the newest tests of an account.
func listTests[T any](ctx context.Context, pool *pgxpool.Pool, table testTable, accountID int64) ([]T, error) {
	rows, err := pool.Query(ctx, `
		select `+table.columns()+`
		from `+table.name+`
		where `+table.account+` = @account
		order by id desc
		limit @limit`, pgx.NamedArgs{"account": accountID, "limit": historyPerPage})
	if err != nil {
		return nil, fmt.Errorf("list the tests of account %d: %w", accountID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}

func insertSMTPTest(ctx context.Context, tx pgx.Tx, t SMTPTest) (SMTPTest, error) {
	return insertTest[SMTPTest](tx.Query(ctx, `
		insert into smtp_test (smtp_account_id, account_name, recipient, subject, state, started_by)
		values (nullif(@account, 0), @account_name, @recipient, @subject, 'running', @by)
		returning `+smtpTests.columns(), pgx.NamedArgs{
		"account": t.SMTPAccountID, "account_name": t.AccountName, "recipient": t.Recipient,
		"subject": t.Subject, "by": t.StartedBy,
	}))
}

func insertMailboxTest(ctx context.Context, tx pgx.Tx, t MailboxTest) (MailboxTest, error) {
	return insertTest[MailboxTest](tx.Query(ctx, `
		insert into mailbox_test (mailbox_account_id, account_name, protocol, mailbox, state, started_by)
		values (nullif(@account, 0), @account_name, @protocol, @mailbox, 'running', @by)
		returning `+mailboxTests.columns(), pgx.NamedArgs{
		"account": t.MailboxAccountID, "account_name": t.AccountName, "protocol": t.Protocol,
		"mailbox": t.Mailbox, "by": t.StartedBy,
	}))
}

func insertTest[T any](rows pgx.Rows, err error) (T, error) {
	if err != nil {
		var none T
		return none, fmt.Errorf("record a test: %w", err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
}

// saveMessageID notes which message a test sent.
func saveMessageID(ctx context.Context, pool *pgxpool.Pool, testID int64, messageID string) error {
	_, err := pool.Exec(ctx, "update smtp_test set message_id = @message_id where id = @id", pgx.NamedArgs{"id": testID, "message_id": messageID})
	return err
}
