package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/mail/ladder"
)

// loopChannel wakes the processes that send loop tests.
const loopChannel = "loop_test"

// maxLoops is how many tests a graph shows: a week of one every ten minutes.
const maxLoops = 1000

const loopColumns = `
	id, mailbox_account_id, coalesce(smtp_account_id, 0) as smtp_account_id, smtp_account_name, address, state, started_at,
	started_by, sent_at, ended_at, reply, folder, junk, inbound_message_id, fault, changes, authentication, authserv_seen,
	case when state = 'arrived' then greatest(coalesce(ended_at - sent_at, '0'), '0') else '0' end as delay`

func selectLoop(ctx context.Context, q querier, id int64) (Loop, error) {
	return oneRow[Loop](q.Query(ctx, "select "+loopColumns+" from loop_test where id = @id", pgx.NamedArgs{"id": id}))
}

func selectLoops(ctx context.Context, q querier, mailbox int64) ([]Loop, error) {
	return allRows[Loop](q.Query(ctx, `
		select `+loopColumns+`
		from loop_test
		where mailbox_account_id = @mailbox
		order by id desc
		limit @limit`, pgx.NamedArgs{"mailbox": mailbox, "limit": maxLoops}))
}

func insertLoop(ctx context.Context, q querier, l Loop, nonce string) (Loop, error) {
	stored, err := oneRow[Loop](q.Query(ctx, `
		insert into loop_test (mailbox_account_id, smtp_account_id, smtp_account_name, address, nonce, state, started_by)
		values (@mailbox, @smtp, @name, @address, @nonce, 'sending', @by)
		returning `+loopColumns, pgx.NamedArgs{
		"mailbox": l.MailboxID, "smtp": l.SMTPAccountID, "name": l.SMTPAccountName, "address": l.Address, "nonce": nonce, "by": l.StartedBy,
	}))
	if err != nil {
		return Loop{}, fmt.Errorf("record a loop test: %w", err)
	}
	_, err = q.Exec(ctx, "select pg_notify(@channel, '')", pgx.NamedArgs{"channel": loopChannel})
	return stored, err
}

// outgoing is a loop test that this process sends.
type outgoing struct {
	ID      int64  `db:"id"`
	Mailbox int64  `db:"mailbox_account_id"`
	SMTP    int64  `db:"smtp_account_id"`
	Address string `db:"address"`
	Nonce   string `db:"nonce"`
}

// claimLoops takes tests that nobody sends yet.
func claimLoops(ctx context.Context, q querier, limit int) ([]outgoing, error) {
	return allRows[outgoing](q.Query(ctx, `
		with free as (
			select id
			from loop_test
			where state = 'sending' and claimed_at is null
			order by id
			limit @limit
			for update skip locked)
		update loop_test
		set claimed_at = now()
		from free
		where loop_test.id = free.id
		returning loop_test.id, mailbox_account_id, coalesce(smtp_account_id, 0) as smtp_account_id, address, nonce`,
		pgx.NamedArgs{"limit": limit}))
}

// startDueLoops turns schedules whose time has come into tests, each once whatever processes look.
func startDueLoops(ctx context.Context, q querier) error {
	_, err := q.Exec(ctx, `
		with due as (
			update loop_schedule
			set next_at = greatest(next_at + make_interval(mins => every_minutes), now())
			from smtp_account, mailbox_account
			where next_at <= now()
				and smtp_account.id = smtp_account_id and smtp_account.active
				and mailbox_account.id = mailbox_account_id and mailbox_account.active
			returning loop_schedule.*, smtp_account.account_name)
		insert into loop_test (mailbox_account_id, smtp_account_id, smtp_account_name, address, nonce, state)
		select mailbox_account_id, smtp_account_id, account_name, address, replace(gen_random_uuid()::text, '-', ''), 'sending'
		from due`)
	if err != nil {
		return fmt.Errorf("begin the loop tests that are due: %w", err)
	}
	return nil
}

func updateLoopHeader(ctx context.Context, q querier, id int64, header, address string) error {
	_, err := q.Exec(ctx, "update loop_test set header = @header, address = @address where id = @id",
		pgx.NamedArgs{"id": id, "header": header, "address": address})
	return err
}

// updateLoopSent notes that the mail server has the message. It may have arrived already.
func updateLoopSent(ctx context.Context, q querier, id int64, reply string) error {
	_, err := q.Exec(ctx, `
		update loop_test
		set sent_at = clock_timestamp(), reply = @reply, state = case when state = 'sending' then 'waiting' else state end
		where id = @id`, pgx.NamedArgs{"id": id, "reply": reply})
	if err != nil {
		return fmt.Errorf("record that loop test %d was sent: %w", id, err)
	}
	return nil
}

func updateLoopFailed(ctx context.Context, q querier, id int64, state LoopState, f ladder.Fault) error {
	text, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode a fault: %w", err)
	}
	_, err = q.Exec(ctx, `
		update loop_test
		set state = @state, fault = @fault::jsonb, ended_at = clock_timestamp()
		where id = @id and state in ('sending', 'waiting')`, pgx.NamedArgs{"id": id, "state": state, "fault": string(text)})
	if err != nil {
		return fmt.Errorf("record the end of loop test %d: %w", id, err)
	}
	return nil
}

// pending is a test that waits for its message.
type pending struct {
	ID     int64  `db:"id"`
	Header string `db:"header"`
}

// lockLoop finds the test that a message belongs to.
func lockLoop(ctx context.Context, q querier, mailbox int64, nonce string) ([]pending, error) {
	return allRows[pending](q.Query(ctx, `
		select id, header
		from loop_test
		where nonce = @nonce and mailbox_account_id = @mailbox and state in ('sending', 'waiting', 'lost')
		for update`, pgx.NamedArgs{"nonce": nonce, "mailbox": mailbox}))
}

// arrival is what is known of a message that has come back.
type arrival struct {
	folder         string
	junk           bool
	message        int64
	changes        []HeaderChange
	authentication *Authentication
	seen           string
}

func updateLoopArrived(ctx context.Context, q querier, id int64, a arrival) error {
	changes, err := json.Marshal(a.changes)
	if err != nil {
		return fmt.Errorf("encode changes: %w", err)
	}
	var verdicts *string
	if a.authentication != nil {
		text, err := json.Marshal(a.authentication)
		if err != nil {
			return fmt.Errorf("encode authentication: %w", err)
		}
		verdicts = new(string(text))
	}
	_, err = q.Exec(ctx, `
		update loop_test
		set state = 'arrived', ended_at = clock_timestamp(), fault = null, folder = @folder, junk = @junk,
			inbound_message_id = @message, changes = @changes::jsonb, authentication = @authentication::jsonb, authserv_seen = @seen
		where id = @id and state <> 'arrived'`, pgx.NamedArgs{
		"id": id, "folder": a.folder, "junk": a.junk, "message": a.message, "changes": string(changes),
		"authentication": verdicts, "seen": a.seen,
	})
	if err != nil {
		return fmt.Errorf("record that loop test %d has arrived: %w", id, err)
	}
	return nil
}

// selectOverdue returns the tests that have waited too long, and those whose sender was killed.
func selectOverdue(ctx context.Context, q querier, limit time.Duration) ([]Loop, error) {
	return allRows[Loop](q.Query(ctx, `
		select `+loopColumns+`
		from loop_test
		where state = 'waiting' and sent_at < now() - @limit::interval
			or state = 'sending' and claimed_at < now() - @limit::interval`, pgx.NamedArgs{"limit": limit}))
}

func selectSchedules(ctx context.Context, q querier, mailbox int64) ([]LoopSchedule, error) {
	return allRows[LoopSchedule](q.Query(ctx, `
		select `+scheduleColumns+`
		from loop_schedule
		where mailbox_account_id = @mailbox
		order by smtp_account_id`, pgx.NamedArgs{"mailbox": mailbox}))
}

const scheduleColumns = "mailbox_account_id, smtp_account_id, address, every_minutes, next_at"

func upsertSchedule(ctx context.Context, q querier, l LoopSchedule) (LoopSchedule, error) {
	stored, err := oneRow[LoopSchedule](q.Query(ctx, `
		insert into loop_schedule (mailbox_account_id, smtp_account_id, address, every_minutes, next_at)
		values (@mailbox, @smtp, @address, @every, now())
		on conflict on constraint loop_schedule_once do update
		set address = excluded.address, every_minutes = excluded.every_minutes, next_at = now()
		returning `+scheduleColumns,
		pgx.NamedArgs{"mailbox": l.MailboxID, "smtp": l.SMTPAccountID, "address": l.Address, "every": l.EveryMinutes}))
	if err != nil {
		return LoopSchedule{}, fmt.Errorf("store the schedule of a loop test: %w", err)
	}
	return stored, nil
}

// deleteSchedule reports whether there was one.
func deleteSchedule(ctx context.Context, q querier, mailboxID, smtpAccountID int64) (bool, error) {
	done, err := q.Exec(ctx, `
		delete from loop_schedule
		where mailbox_account_id = @mailbox and smtp_account_id = @smtp`, pgx.NamedArgs{"mailbox": mailboxID, "smtp": smtpAccountID})
	if err != nil {
		return false, fmt.Errorf("end the schedule of a loop test: %w", err)
	}
	return done.RowsAffected() > 0, nil
}
