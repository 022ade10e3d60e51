package approval

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/notify"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/vault"
)

// rig is a service whose mails are kept, with a clock that is set by hand.
type rig struct {
	*Service
	t     testing.TB
	users map[string]int64

	mu    sync.Mutex
	now   time.Time
	mails []notify.Message
	posts []string
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, users: map[string]int64{}, now: time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)}
	r.Service = NewService(Options{
		Pool: pgtest.New(t), People: people{r}, Notices: outbox{r}, BaseURL: &url.URL{Scheme: "https", Host: "orbit.example.com"},
		RepliesRead: func(context.Context) bool { return true }, Clock: r.clock,
	})
	for _, name := range []string{"ana", "bruno", "carla", "diego", "eva"} {
		r.users[name] = addUser(t, r.Pool, name)
	}
	return r
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// pass lets time go by, and does what it brings.
func (r *rig) pass(d time.Duration) {
	r.t.Helper()
	r.mu.Lock()
	r.now = r.now.Add(d)
	r.mu.Unlock()
	if err := r.DoDue(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func addUser(t testing.TB, pool *pgxpool.Pool, name string) (id int64) {
	t.Helper()
	err := pool.QueryRow(t.Context(), `insert into "user" (username, full_name, email, role) values ($1, initcap($1), $1 || '@example.com', 'member') returning id`, name).Scan(&id)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

type people struct{ *rig }

func (p people) Persons(ctx context.Context, tx pgx.Tx, ids []int64) ([]Person, error) {
	rows, _ := tx.Query(ctx, `select id, full_name, email, language, time_zone, active from "user" where id = any($1)`, ids)
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Person])
}

func (p people) Member(ctx context.Context, name, email string) (Person, error) {
	rows, _ := p.Pool.Query(ctx, `select id, full_name, email, language, time_zone, active from "user" where lower(email) = lower($1)`, email)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Person])
	if err != nil {
		return Person{}, err
	}
	if len(found) > 0 {
		return found[0], nil
	}
	var id int64
	err = p.Pool.QueryRow(ctx, `insert into "user" (username, full_name, email, role) values ($1, $2, $1, 'member') returning id`, email, name).Scan(&id)
	return Person{UserID: id, Name: name, Email: email, Language: "en", TimeZone: "UTC", Active: true}, err
}

type outbox struct{ *rig }

func (o outbox) SendTx(_ context.Context, _ pgx.Tx, m notify.Message) (int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mails = append(o.mails, m)
	return int64(len(o.mails)), nil
}

func (o outbox) PostTx(_ context.Context, _ pgx.Tx, e notify.Event) (notify.Accepted, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.posts = append(o.posts, e.Type)
	return notify.Accepted{}, nil
}

func (o outbox) CancelRequestTx(context.Context, pgx.Tx, int64) (int, error) { return 0, nil }

// sent returns the mails that were sent since it was last asked, as "type to".
func (r *rig) sent() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, m := range r.mails {
		short := strings.TrimPrefix(m.TextType, "access_request.")
		all = append(all, short[:strings.LastIndex(short, ".")]+" "+strings.TrimSuffix(m.To, "@example.com"))
	}
	r.mails = nil
	slices.Sort(all)
	return all
}

// linkTo returns the decision link and the reply token of the last mail to somebody.
func (r *rig) linkTo(name string) (link, answer vault.Secret) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range slices.Backward(r.mails) {
		if page := m.Values["URL_APPROVE"].URL; m.To == name+"@example.com" && page != "" {
			u, err := url.Parse(page)
			if err != nil || !m.Confidential {
				r.t.Fatal(page, err)
			}
			return vault.NewSecret(strings.TrimPrefix(u.Path, "/decide/")), vault.NewSecret(ReplyToken(m.Headers[0].Value))
		}
	}
	r.t.Fatalf("no mail to decide by to %s", name)
	return vault.Secret{}, vault.Secret{}
}

func (r *rig) group(change func(*GroupChange), members ...string) Group {
	r.t.Helper()
	c := GroupChange{GroupSettings: NewGroup()}
	c.Name = "Databases " + fmt.Sprint(time.Now().UnixNano())
	for _, m := range members {
		name, level, _ := strings.Cut(m, ":")
		number := 1
		if level != "" {
			number = int(level[0] - '0')
		}
		c.Members = append(c.Members, Member{UserID: r.users[name], Level: number})
	}
	if change != nil {
		change(&c)
	}
	g, err := r.CreateGroup(r.t.Context(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return g
}

func (r *rig) wish(group string) New {
	return New{
		Requester: Requester{Name: "Rita", Email: "rita@example.com"}, ApproverGroup: group, Action: "Start session",
		DeviceHostname: "db-01", DeviceIP: "192.0.2.10", CredentialUsername: "root", End: r.clock().Add(4 * time.Hour),
	}
}

func (r *rig) request(g Group) Whole {
	r.t.Helper()
	w, err := r.Create(r.t.Context(), r.wish(g.Name))
	if err != nil {
		r.t.Fatal(err)
	}
	return w
}

func (r *rig) decides(w Whole, name string, answer Answer) (Whole, error) {
	return r.DecideAsUser(r.t.Context(), w.ID, r.users[name], Decide{Answer: answer, Justification: "because"})
}

func (r *rig) must(w Whole, err error) Whole {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	return w
}

func (r *rig) expect(want ...string) {
	r.t.Helper()
	if got := r.sent(); !slices.Equal(got, want) {
		r.t.Errorf("mails %q, want %q", got, want)
	}
}
