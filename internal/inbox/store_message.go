package inbox

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"orbit/internal/problem"
)

// querier is the pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

func allRows[T any](rows pgx.Rows, err error) ([]T, error) {
	if err != nil {
		return nil, fmt.Errorf("read %T: %w", *new(T), err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
	if err != nil {
		return nil, fmt.Errorf("read %T: %w", *new(T), err)
	}
	return found, nil
}

func oneRow[T any](rows pgx.Rows, err error) (T, error) {
	found, err := allRows[T](rows, err)
	switch {
	case err != nil:
		return *new(T), err
	case len(found) == 0:
		return *new(T), problem.ErrNotFound
	}
	return found[0], nil
}

const messageColumns = `
	id, mailbox_account_id, folder, message_id, from_address, from_name, subject, message_date, received_at,
	stored_at, class, automatic, answer, text, size, complete, attachments, authentication, original, related,
	handling, outcome, note`

func selectMessage(ctx context.Context, q querier, id int64) (Row, error) {
	return oneRow[Row](q.Query(ctx, "select "+messageColumns+" from inbound_message where id = @id", pgx.NamedArgs{"id": id}))
}

// reach is how many messages a page of a search looks through. Words are found anywhere in a text and so without an
// index; a page has to come at once all the same. The next page goes on where this one has stopped.
const reach = 10_000

// selectMessages returns a page, newest first. The page begins after the cursor, so that what arrives meanwhile
// moves nothing. Words are looked for twice: byte by byte, which is fast and knows the letters of ASCII only, and
// properly in what that leaves.
func selectMessages(ctx context.Context, q querier, f Filter) ([]Row, error) {
	among, args := amongMessages(f)
	if !f.searches() {
		return allRows[Row](q.Query(ctx, "select "+messageColumns+among+" limit @limit", args))
	}
	return allRows[Row](q.Query(ctx, `
		select `+messageColumns+`
		from (select * `+among+` limit @reach) as message
		where `+sameKind+`
			and (@from = '' or
				(from_name || ' ' || from_address) collate "C" ilike @rough_from and from_name || ' ' || from_address ilike @from)
			and (@subject = '' or subject collate "C" ilike @rough_subject and subject ilike @subject)
			and (cardinality(@words::text[]) = 0 or
				(from_name || ' ' || from_address || ' ' || subject || ' ' || text) collate "C" ilike all (@rough_words::text[])
				and from_name || ' ' || from_address || ' ' || subject || ' ' || text ilike all (@words::text[]))
		order by received_at desc, id desc
		limit @limit`, args))
}

// selectReached returns the message at which a page of a search has stopped looking, or nothing when it has seen all.
func selectReached(ctx context.Context, q querier, f Filter) ([]Row, error) {
	among, args := amongMessages(f)
	return allRows[Row](q.Query(ctx, "select "+messageColumns+among+" offset @reach - 1 limit 1", args))
}

// sameKind holds for messages of the class and the handling that are asked for.
const sameKind = "(@class = '' or class = @class) and (@handling = '' or handling = @handling)"

// amongMessages is what a page is taken from, in its order. For a search that is what an index finds and nothing less,
// so that its reach bounds the work.
func amongMessages(f Filter) (string, pgx.NamedArgs) {
	args := pgx.NamedArgs{
		"account": f.AccountID, "class": f.Class, "handling": f.Handling, "since": orNull(f.Since), "until": orNull(f.Until),
		"from": pattern(f.From), "subject": pattern(f.Subject), "words": patterns(f.Search),
		"rough_from": rough(pattern(f.From)), "rough_subject": rough(pattern(f.Subject)), "rough_words": roughAll(patterns(f.Search)),
		"reach": reach, "limit": f.Limit,
	}
	after := ""
	if at, id, ok := readCursor(f.Cursor); ok {
		after = "and (received_at, id) < (@at, @id)"
		args["at"], args["id"] = at, id
	}
	if !f.searches() {
		after += " and " + sameKind
	}
	return `
		from inbound_message
		where (@account = 0 or mailbox_account_id = @account)
			and (@since::timestamptz is null or received_at >= @since)
			and (@until::timestamptz is null or received_at < @until)
			` + after + `
		order by received_at desc, id desc`, args
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// pattern turns what was typed into a pattern that finds it anywhere; empty stays empty.
func pattern(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(strings.TrimSpace(text), "\ufffd"), "\x00", "\ufffd")
	if text == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// maxWords bounds a search.
const maxWords = 10

func patterns(text string) []string {
	words := strings.Fields(text)
	found := []string{}
	for _, word := range words[:min(len(words), maxWords)] {
		found = append(found, pattern(word))
	}
	return found
}

// rough replaces every letter whose case PostgreSQL knows only slowly by what stands for any character.
func rough(pattern string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII && (unicode.ToLower(r) != r || unicode.ToUpper(r) != r) {
			return '_'
		}
		return r
	}, pattern)
}

func roughAll(patterns []string) []string {
	all := make([]string, len(patterns))
	for i, p := range patterns {
		all[i] = rough(p)
	}
	return all
}

// cursorAfter names the place behind a row in the list.
func cursorAfter(r Row) string {
	return strconv.FormatInt(r.ReceivedAt.UnixMicro(), 10) + "-" + strconv.FormatInt(r.ID, 10)
}

func readCursor(text string) (at time.Time, id int64, ok bool) {
	micro, number, found := strings.Cut(text, "-")
	m, errM := strconv.ParseInt(micro, 10, 64)
	id, errN := strconv.ParseInt(number, 10, 64)
	return time.UnixMicro(m), id, found && errM == nil && errN == nil
}

// searches reports whether words are looked for.
func (f Filter) searches() bool { return strings.TrimSpace(f.From+f.Subject+f.Search) != "" }

// selectRaw returns a piece of a message's bytes, nothing after the last.
func selectRaw(ctx context.Context, q querier, id int64, n int) (data []byte, err error) {
	err = q.QueryRow(ctx, `
		select data
		from inbound_raw
		where inbound_message_id = @id and n = @n`, pgx.NamedArgs{"id": id, "n": n}).Scan(&data)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read piece %d of message %d: %w", n, id, err)
	}
	return data, nil
}
