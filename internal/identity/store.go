package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// querier is a pool or a transaction.
type querier interface {
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// userColumns are the columns of User, in a query that calls the table u.
const userColumns = `u.id, u.username, u.email, u.full_name, u.role, u.language, u.time_zone, u.active,
	u.created_at, u.changed_at, u.changed_by, u.last_sign_in, u.version`

// userRow is a user with the hash that only sign-in sees.
type userRow struct {
	User
	PasswordHash string
}

func selectUserByName(ctx context.Context, q querier, username string) (userRow, error) {
	rows, err := q.Query(ctx, `
		select `+userColumns+`, u.password_hash
		from "user" u
		where lower(u.username) = lower(@username)`,
		pgx.NamedArgs{"username": username})
	return one[userRow](rows, err, "find user by name")
}

// lockUser reads a user and keeps others from changing it until the transaction ends.
func lockUser(ctx context.Context, tx pgx.Tx, id int64) (userRow, error) {
	rows, err := tx.Query(ctx, `
		select `+userColumns+`, u.password_hash
		from "user" u
		where u.id = @id
		for update`,
		pgx.NamedArgs{"id": id})
	return one[userRow](rows, err, "lock user")
}

func selectUser(ctx context.Context, q querier, id int64) (User, error) {
	rows, err := q.Query(ctx, `
		select `+userColumns+`
		from "user" u
		where u.id = @id`,
		pgx.NamedArgs{"id": id})
	return one[User](rows, err, "find user")
}

// userOrder names the columns that a list may be sorted by.
var userOrder = map[string]string{
	"id": "u.id", "username": "lower(u.username)", "full_name": "lower(u.full_name)", "email": "lower(u.email)",
	"role": "u.role", "active": "u.active", "last_sign_in": "u.last_sign_in", "created_at": "u.created_at",
}

func (f UserFilter) order() string {
	column, known := userOrder[f.Sort]
	if !known {
		column = userOrder["username"]
	}
	if f.Descending {
		return column + " desc nulls last, u.id desc"
	}
	return column + " nulls first, u.id"
}

// selectUsers returns one page and how many there are in all.
func selectUsers(ctx context.Context, q querier, f UserFilter) ([]User, int, error) {
	const matching = `
		from "user" u
		where (@search = '' or u.username ilike @pattern or u.full_name ilike @pattern or u.email ilike @pattern)
		and (@role = '' or u.role = @role)
		and (@active::boolean is null or u.active = @active)`
	args := pgx.NamedArgs{
		"search": f.Search, "pattern": "%" + likeEscape.Replace(f.Search) + "%", "role": string(f.Role),
		"active": f.Active, "limit": f.Limit, "offset": f.Offset,
	}
	counted, err := q.Query(ctx, `select count(*)`+matching, args)
	total, err := scalar[int](counted, err, "count users")
	if err != nil {
		return nil, 0, err
	}
	rows, err := q.Query(ctx, `
		select `+userColumns+matching+`
		order by `+f.order()+`
		limit nullif(@limit, 0) offset @offset`, args)
	users, err := all[User](rows, err, "list users")
	return users, total, err
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func insertUser(ctx context.Context, tx pgx.Tx, u User, hash, by string, now time.Time) (User, error) {
	rows, err := tx.Query(ctx, `
		insert into "user" as u (username, email, full_name, role, language, time_zone, active, password_hash,
			created_at, changed_at, changed_by)
		values (@username, @email, @full_name, @role, @language, @time_zone, @active, @hash, @now, @now, @by)
		returning `+userColumns,
		userArgs(u, pgx.NamedArgs{"hash": hash, "now": now, "by": by}))
	u, err = one[User](rows, err, "create user")
	return u, usernameTaken(err)
}

// updateUser writes u and returns it with its new version.
func updateUser(ctx context.Context, tx pgx.Tx, u User, by string, now time.Time) (User, error) {
	rows, err := tx.Query(ctx, `
		update "user" as u
		set username = @username, email = @email, full_name = @full_name, role = @role, language = @language,
			time_zone = @time_zone, active = @active, changed_at = @now, changed_by = @by, version = u.version + 1
		where u.id = @id
		returning `+userColumns,
		userArgs(u, pgx.NamedArgs{"id": u.ID, "now": now, "by": by}))
	u, err = one[User](rows, err, "change user")
	return u, usernameTaken(err)
}

func userArgs(u User, args pgx.NamedArgs) pgx.NamedArgs {
	args["username"], args["email"], args["full_name"] = u.Username, u.Email, u.FullName
	args["role"], args["language"], args["time_zone"] = string(u.Role), string(u.Language), u.TimeZone
	args["active"] = u.Active
	return args
}

var usernameIsTaken = problem.Field{
	Name: "username", Text: "Another user has this username. Choose a different one.",
}

func usernameTaken(err error) error {
	if postgres.Constraint(err) == "user_username_unique" {
		return problem.Invalid{usernameIsTaken}
	}
	return err
}

func updatePassword(ctx context.Context, tx pgx.Tx, id int64, hash, by string, now time.Time) error {
	return exec(ctx, tx, "set password", `
		update "user"
		set password_hash = @hash, changed_at = @now, changed_by = @by, version = version + 1
		where id = @id`,
		pgx.NamedArgs{"id": id, "hash": hash, "by": by, "now": now})
}

// noteSignIn does not raise the version: a sign-in is no change that an editor could lose.
func noteSignIn(ctx context.Context, tx pgx.Tx, id int64, hash string, now time.Time) error {
	return exec(ctx, tx, "note sign-in", `
		update "user"
		set last_sign_in = @now, password_hash = @hash
		where id = @id`,
		pgx.NamedArgs{"id": id, "hash": hash, "now": now})
}

func deleteUser(ctx context.Context, tx pgx.Tx, id int64) error {
	return exec(ctx, tx, "delete user", `delete from "user" where id = @id`, pgx.NamedArgs{"id": id})
}

// lockAdministrators makes those take turns who may remove the last administrator or create the first. A count that
// follows it sees what the one before has done.
func lockAdministrators(ctx context.Context, tx pgx.Tx) error {
	return exec(ctx, tx, "lock administrators", `select pg_advisory_xact_lock(hashtext('identity.administrators'))`, nil)
}

// otherAdministrators counts the active administrators beside id; lockAdministrators comes first.
func otherAdministrators(ctx context.Context, tx pgx.Tx, id int64) (int, error) {
	rows, err := tx.Query(ctx, `
		select count(*)
		from "user"
		where role = 'administrator' and active and id <> @id`,
		pgx.NamedArgs{"id": id})
	return scalar[int](rows, err, "count administrators")
}

func administratorExists(ctx context.Context, q querier) (bool, error) {
	rows, err := q.Query(ctx, `
		select exists (
			select from "user"
			where role = 'administrator' and active
		)`)
	return scalar[bool](rows, err, "look for an administrator")
}

// one reads a single row into T; none is problem.ErrNotFound.
func one[T any](rows pgx.Rows, err error, doing string) (T, error) {
	var row T
	if err == nil {
		row, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return row, problem.ErrNotFound
	}
	if err != nil {
		return row, fmt.Errorf("%s: %w", doing, err)
	}
	return row, nil
}

// scalar reads a single value.
func scalar[T any](rows pgx.Rows, err error, doing string) (T, error) {
	var value T
	if err == nil {
		value, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	}
	if err != nil {
		return value, fmt.Errorf("%s: %w", doing, err)
	}
	return value, nil
}

func all[T any](rows pgx.Rows, err error, doing string) ([]T, error) {
	var found []T
	if err == nil {
		found, err = pgx.CollectRows(rows, pgx.RowToStructByName[T])
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return found, nil
}

func exec(ctx context.Context, q querier, doing, sql string, args pgx.NamedArgs) error {
	_, err := q.Exec(ctx, sql, args)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
