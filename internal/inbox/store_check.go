package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/problem"
)

// The channels of LISTEN and NOTIFY beside account.MailboxChannel.
const (
	checkChannel   = "mailbox_check"
	checkedChannel = "mailbox_checked"
)

// insertCheck asks the owner of a mailbox for a visit.
func insertCheck(ctx context.Context, q querier, account int64) (id int64, err error) {
	err = q.QueryRow(ctx, `
		with asked as (
			insert into mailbox_check (mailbox_account_id)
			values (@account)
			returning id)
		select id
		from asked, pg_notify('`+checkChannel+`', '')`, pgx.NamedArgs{"account": account}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("ask for a check of mailbox %d: %w", account, err)
	}
	return id, nil
}

// question is a check that somebody waits for.
type question struct {
	ID      int64 `db:"id"`
	Account int64 `db:"mailbox_account_id"`
}

func selectOpenChecks(ctx context.Context, q querier, accounts []int64) ([]question, error) {
	return allRows[question](q.Query(ctx, `
		select id, mailbox_account_id
		from mailbox_check
		where answer is null and mailbox_account_id = any(@accounts)
		order by id`, pgx.NamedArgs{"accounts": accounts}))
}

func updateAnswer(ctx context.Context, q querier, id int64, v Visit) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode a visit: %w", err)
	}
	_, err = q.Exec(ctx, `
		with answered as (
			update mailbox_check
			set answer = @answer::jsonb
			where id = @id
			returning id)
		select pg_notify('`+checkedChannel+`', '')
		from answered`, pgx.NamedArgs{"id": id, "answer": string(text)})
	if err != nil {
		return fmt.Errorf("answer the check %d: %w", id, err)
	}
	return nil
}

func selectAnswer(ctx context.Context, q querier, id int64) (v Visit, done bool, err error) {
	var answer []byte
	err = q.QueryRow(ctx, "select answer from mailbox_check where id = @id", pgx.NamedArgs{"id": id}).Scan(&answer)
	switch {
	case errors.Is(err, pgx.ErrNoRows): // the account is gone
		return Visit{}, false, problem.ErrNotFound
	case err != nil:
		return Visit{}, false, fmt.Errorf("look for the answer to check %d: %w", id, err)
	case answer == nil:
		return Visit{}, false, nil
	}
	if err := json.Unmarshal(answer, &v); err != nil {
		return Visit{}, false, fmt.Errorf("read the answer to check %d: %w", id, err)
	}
	return v, true, nil
}

func deleteCheck(ctx context.Context, q querier, id int64) error {
	_, err := q.Exec(ctx, "delete from mailbox_check where id = @id", pgx.NamedArgs{"id": id})
	return err
}
