package approval

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/mail/reply"
	"orbit/internal/notify"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/problem"
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

func TestOneApprovalIsEnough(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.request(r.group(nil, "ana", "bruno"))
	if w.Code() != Code(w.ID) || len(w.Code()) != 7 || w.Status != Pending || !w.ExpiresAt.Equal(r.clock().Add(time.Hour)) {
		t.Errorf("%+v", w.Request)
	}
	r.expect("created ana", "created bruno", "created rita")
	w = r.must(r.decides(w, "ana", Approve))
	if w.Status != Approved || w.EndedBy != "Ana" || w.EndedAt == nil {
		t.Errorf("%+v", w.Request)
	}
	r.expect("approved rita")
	if _, err := r.decides(w, "bruno", Reject); !refused(err, "nothing left to decide") {
		t.Errorf("%v", err)
	}
	if !slices.Equal(r.posts, []string{"access_request.created", "access_request.approved"}) {
		t.Error(r.posts)
	}
}

func refused(err error, says string) bool {
	var refusal *problem.Refused
	return errors.As(err, &refusal) && strings.Contains(refusal.Text, says)
}

func TestLevels(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	g := r.group(func(c *GroupChange) { c.ApprovalInLevels, c.ApprovalsRequired = true, 2 }, "ana", "bruno", "carla:2", "diego:2", "eva:2")
	w := r.request(g)
	r.expect("created ana", "created bruno", "created rita")
	if _, err := r.decides(w, "carla", Approve); !refused(err, "not reached yet") {
		t.Error(err)
	}
	w = r.must(r.decides(w, "ana", Approve))
	if w.Level != 1 || w.Status != Pending {
		t.Errorf("%+v", w.Request)
	}
	if _, err := r.decides(w, "ana", Approve); !refused(err, "decided already: approved") {
		t.Error(err)
	}
	w = r.must(r.decides(w, "bruno", Approve))
	if w.Level != 2 || w.Status != Pending {
		t.Errorf("%+v", w.Request)
	}
	r.expect("created carla", "created diego", "created eva", "level_advanced rita")
	w = r.must(r.decides(w, "carla", Approve))
	if w = r.must(r.decides(w, "eva", Approve)); w.Status != Approved {
		t.Errorf("%+v", w.Request)
	}

	w = r.request(g)
	if w = r.must(r.decides(w, "ana", Reject)); w.Status != Rejected { // a rejection stops, level 2 is never asked
		t.Errorf("%+v", w.Request)
	}
}

func TestRejections(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	g := r.group(func(c *GroupChange) { c.ApprovalsRequired, c.RejectionsToCancel = 1, 2 }, "ana", "bruno", "carla")
	w := r.request(g)
	if w = r.must(r.decides(w, "ana", Reject)); w.Status != Pending {
		t.Errorf("one rejection of two: %s", w.Status)
	}
	if w = r.must(r.decides(w, "bruno", Reject)); w.Status != Rejected {
		t.Errorf("two rejections of two: %s", w.Status)
	}
	w = r.request(r.group(func(c *GroupChange) { c.ApprovalsRequired, c.RejectionsToCancel = 2, 2 }, "ana", "bruno"))
	if w = r.must(r.decides(w, "ana", Reject)); w.Status != Rejected {
		t.Errorf("two can't approve any more: %s", w.Status)
	}
	var wrong problem.Invalid
	w = r.request(g)
	if _, err := r.DecideAsUser(t.Context(), w.ID, r.users["ana"], Decide{Answer: Reject}); !errors.As(err, &wrong) || wrong.For("justification") == "" {
		t.Errorf("a rejection without a reason: %v", err)
	}
}

func TestNobodyDecidesAnOwnRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	g := r.group(nil, "ana", "bruno")
	wish := r.wish(g.Name)
	wish.Requester = Requester{Name: "Ana", Email: "ANA@Example.com"}
	w := r.must(r.Create(t.Context(), wish))
	r.expect("created ANA@Example.com", "created bruno")
	if _, ok := w.ApproverFor(r.users["ana"]); ok {
		t.Error("Ana is an approver of her own request")
	}
	if _, err := r.decides(w, "ana", Approve); !errors.Is(err, problem.ErrForbidden) {
		t.Error(err)
	}
	if _, err := r.RevokeAsUser(t.Context(), w.ID, r.users["ana"], "x"); !errors.Is(err, problem.ErrForbidden) {
		t.Error(err)
	}
	wish.ApproverGroup = r.group(nil, "ana").Name
	if _, err := r.Create(t.Context(), wish); !refused(err, "1 must approve, but only 0 can decide") {
		t.Error(err)
	}
	// The requester as a deputy of an approver gains nothing.
	if _, err := r.AddDeputy(t.Context(), Deputy{UserID: r.users["bruno"], DeputyID: r.users["ana"], From: r.clock().Add(-time.Hour), Until: r.clock().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	wish.ApproverGroup = g.Name
	if w := r.must(r.Create(t.Context(), wish)); len(w.Approvers) != 1 || w.Approvers[0].Name != "Bruno" {
		t.Errorf("%+v", w.Approvers)
	}
}

func TestDeputies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if _, err := r.AddDeputy(t.Context(), Deputy{UserID: r.users["ana"], DeputyID: r.users["eva"], From: r.clock(), Until: r.clock().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	g := r.group(nil, "ana", "bruno")
	w := r.request(g)
	r.expect("created bruno", "created eva", "created rita")
	if a, _ := w.ApproverFor(r.users["eva"]); a.DeputyOf != "Ana" {
		t.Errorf("%+v", w.Approvers)
	}
	r.pass(2 * time.Hour)
	r.sent()
	r.request(g)
	r.expect("created ana", "created bruno", "created rita")
	// Who decides already stands in for nobody: one person counts once.
	both := r.group(func(c *GroupChange) { c.ApprovalsRequired = 2 }, "ana", "eva")
	if _, err := r.AddDeputy(t.Context(), Deputy{UserID: r.users["ana"], DeputyID: r.users["eva"], From: r.clock(), Until: r.clock().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if w := r.request(both); len(w.Approvers) != 2 {
		t.Errorf("%+v", w.Approvers)
	}
}

func TestAccessAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.request(r.group(func(c *GroupChange) { c.ApprovalRequired = false }, "ana"))
	if w.Status != Approved || w.EndedBecause != "No approval is required." {
		t.Errorf("%+v", w.Request)
	}
	r.expect("approved rita", "informed ana")
	g := r.group(func(c *GroupChange) { c.EmergencyAccess, c.ApprovalInLevels = true, true }, "ana", "bruno:2")
	wish := r.wish(g.Name)
	wish.Emergency = true
	if w = r.must(r.Create(t.Context(), wish)); w.Status != Approved || !w.Emergency {
		t.Errorf("%+v", w.Request)
	}
	r.expect("approved rita", "informed ana", "informed bruno")
	wish.ApproverGroup = r.group(nil, "ana").Name
	var wrong problem.Invalid
	if _, err := r.Create(t.Context(), wish); !errors.As(err, &wrong) || wrong.For("emergency") == "" {
		t.Error(err)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.request(r.group(nil, "ana", "bruno"))
	link, answer := r.linkTo("ana")
	if raw, err := base64.RawURLEncoding.DecodeString(link.Reveal()); err != nil || len(raw) < 16 || link.Reveal() == answer.Reveal() {
		t.Errorf("a token of %d bytes", len(raw))
	}
	for range 3 { // looking changes nothing
		if seen, a, err := r.Look(t.Context(), link); err != nil || seen.ID != w.ID || a.Name != "Ana" || len(seen.Decisions) != 0 {
			t.Fatal(seen, a, err)
		}
	}
	approve := Decide{Answer: Approve}
	for name, user := range map[string]int64{"nobody": 0, "another": r.users["bruno"]} {
		if _, err := r.DecideByLink(t.Context(), link, user, approve); !errors.Is(err, problem.ErrForbidden) {
			t.Errorf("%s decides by Ana's link: %v", name, err)
		}
	}
	if _, err := r.DecideByLink(t.Context(), answer, r.users["ana"], approve); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("a reply token is no link: %v", err)
	}
	for _, bad := range []string{"", "x", strings.Repeat("a", 32), link.Reveal() + "a"} {
		if _, _, err := r.Look(t.Context(), vault.NewSecret(bad)); !errors.Is(err, problem.ErrNotFound) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	w = r.must(r.DecideByLink(t.Context(), link, r.users["ana"], approve))
	if w.Status != Approved || w.Decisions[0].Way != Page {
		t.Errorf("%+v", w)
	}
	if _, err := r.DecideByLink(t.Context(), link, r.users["ana"], approve); !refused(err, "decided already") {
		t.Errorf("%v", err)
	}
	var kept int
	if err := r.Pool.QueryRow(t.Context(), "select count(*) from decision_token where encode(hash, 'escape') like '%' || $1 || '%'", link.Reveal()).Scan(&kept); err != nil || kept != 0 {
		t.Error("the token is kept readable", err)
	}

	r.request(r.group(func(c *GroupChange) { c.LinkAlone = true }, "ana"))
	link, _ = r.linkTo("ana")
	if w = r.must(r.DecideByLink(t.Context(), link, 0, approve)); w.Status != Approved || w.Decisions[0].Way != Link {
		t.Errorf("%+v", w)
	}
}

func TestAHundredClicksAreOneDecision(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.request(r.group(nil, "ana"))
	link, _ := r.linkTo("ana")
	r.sent()
	var wait sync.WaitGroup
	var mu sync.Mutex
	decided := 0
	for i := range 100 {
		wait.Go(func() {
			answer := Decide{Answer: Approve}
			if i%2 == 1 {
				answer = Decide{Answer: Reject, Justification: "no"}
			}
			_, err := r.DecideByLink(t.Context(), link, r.users["ana"], answer)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				decided++
			case !refused(err, "already"):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	whole, err := r.Find(t.Context(), w.ID)
	if err != nil || decided != 1 || len(whole.Decisions) != 1 || whole.Status == Pending || len(r.sent()) != 1 {
		t.Errorf("%d decided, %+v, %v", decided, whole, err)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.request(r.group(nil, "ana"))
	link, _ := r.linkTo("ana")
	r.sent()
	r.mu.Lock()
	r.now = r.now.Add(time.Hour) // the clock says it before Run has
	r.mu.Unlock()
	if _, err := r.DecideByLink(t.Context(), link, r.users["ana"], Decide{Answer: Approve}); !refused(err, "has expired") {
		t.Error(err)
	}
	r.pass(0)
	if w, _ = r.Find(t.Context(), w.ID); w.Status != Expired {
		t.Errorf("%+v", w.Request)
	}
	r.expect("expired rita")
	r.pass(time.Hour)
	r.expect()
}

func TestRemindersAndEscalation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	g := r.group(func(c *GroupChange) { c.RemindAfterMinutes, c.EscalateAfterMinutes = 10, 20 }, "ana", "bruno", "eva:0")
	w := r.request(g)
	r.expect("created ana", "created bruno", "created rita")
	r.pass(9 * time.Minute)
	r.expect()
	r.pass(2 * time.Minute)
	r.expect("reminder ana", "reminder bruno")
	if _, err := r.decides(w, "eva", Approve); !refused(err, "not reached") {
		t.Error(err)
	}
	r.pass(10 * time.Minute)
	r.expect("escalated eva")
	r.pass(10 * time.Minute)
	r.expect()
	if w = r.must(r.decides(w, "eva", Approve)); w.Status != Approved {
		t.Errorf("%+v", w.Request)
	}
	r.sent()

	bounce := func(w Whole, name string) {
		t.Helper()
		err := pgx.BeginFunc(t.Context(), r.Pool, func(tx pgx.Tx) error {
			return r.Bounced(t.Context(), tx, w.ID, name+"@example.com", "550 no such user")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	w = r.request(r.group(nil, "ana", "bruno", "eva:0"))
	r.sent()
	bounce(w, "ana")
	r.expect() // Bruno can still approve
	bounce(w, "bruno")
	r.expect("escalated eva")
}

func TestShorterPeriods(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	g := r.group(nil, "ana")
	now := r.clock()
	for name, c := range map[string]struct {
		start, end time.Time
		field      string
	}{
		"longer":        {time.Time{}, now.Add(5 * time.Hour), "end"},
		"earlier":       {now.Add(-time.Hour), time.Time{}, "start"},
		"back to front": {now.Add(3 * time.Hour), now.Add(2 * time.Hour), "end"},
	} {
		w := r.request(g)
		var wrong problem.Invalid
		if _, err := r.DecideAsUser(t.Context(), w.ID, r.users["ana"], Decide{Answer: Approve, Start: c.start, End: c.end}); !errors.As(err, &wrong) || wrong.For(c.field) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := r.must(r.DecideAsUser(t.Context(), r.request(g).ID, r.users["ana"], Decide{Answer: Approve, End: now.Add(time.Hour)}))
	if found, _ := r.Find(t.Context(), w.ID); !found.End.Equal(now.Add(time.Hour)) || found.Status != Approved {
		t.Errorf("%+v", found.Request)
	}
	fixed := r.group(func(c *GroupChange) { c.ApproverMayShorten = false }, "ana")
	if _, err := r.DecideAsUser(t.Context(), r.request(fixed).ID, r.users["ana"], Decide{Answer: Approve, End: now.Add(time.Hour)}); err == nil {
		t.Error("the period was changed")
	}
}

func TestCancelAndRevoke(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	g := r.group(nil, "ana", "bruno")
	w := r.request(g)
	if _, err := r.Revoke(t.Context(), w.ID, "x"); !refused(err, "is pending") {
		t.Error(err)
	}
	r.sent()
	if w = r.must(r.Cancel(t.Context(), w.ID, "")); w.Status != Cancelled {
		t.Errorf("%+v", w.Request)
	}
	r.expect("cancelled ana", "cancelled bruno", "cancelled rita")
	w = r.must(r.decides(r.request(g), "ana", Approve))
	if _, err := r.Cancel(t.Context(), w.ID, ""); !refused(err, "is approved") {
		t.Error(err)
	}
	r.sent()
	if w = r.must(r.RevokeAsUser(t.Context(), w.ID, r.users["bruno"], "leak")); w.Status != Revoked {
		t.Errorf("%+v", w.Request)
	}
	r.expect("revoked rita")
	w = r.must(r.decides(r.request(g), "ana", Approve))
	r.pass(5 * time.Hour)
	if _, err := r.Revoke(t.Context(), w.ID, "late"); !refused(err, "has ended already") {
		t.Error(err)
	}
}

func TestTheSameKeyIsTheSameRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	wish := r.wish(r.group(nil, "ana").Name)
	wish.IdempotencyKey = "change-1024"
	first := r.must(r.Create(t.Context(), wish))
	r.sent()
	if again := r.must(r.Create(t.Context(), wish)); again.ID != first.ID || len(again.Approvers) != 1 {
		t.Errorf("%+v", again)
	}
	r.expect()
}

func TestApproversByAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	wish := r.wish("")
	wish.Approvers = []NameEmail{{"Ana", "ana@example.com"}, {"New One", "new@example.com"}, {"Ana again", "Ana@example.com"}}
	w := r.must(r.Create(t.Context(), wish))
	if len(w.Approvers) != 2 {
		t.Errorf("%+v", w.Approvers)
	}
	r.expect("created ana", "created new", "created rita")
}

func TestReplies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	pass := reply.Auth{Server: "mx", Results: []reply.Result{{Method: "dmarc", Value: "pass", Props: map[string]string{"header.from": "example.com"}}}}
	good := reply.Message{
		Class: reply.ClassReply, From: mail.Address{Address: "Ana@example.com"}, Answer: reply.Approve, Text: "APPROVE\n\nas agreed", Auth: pass,
	}
	for name, c := range map[string]struct {
		change  func(*reply.Message)
		relaxed bool
		outcome string // beginning after the code; "" when it is not taken
		status  Status
		mails   []string
	}{
		"approved": {outcome: ": approved by Ana", status: Approved, mails: []string{"approved rita"}},
		"rejected": {change: func(m *reply.Message) { m.Answer = reply.Reject }, outcome: ": rejected by Ana", status: Rejected, mails: []string{"rejected rita"}},
		"forged":   {change: func(m *reply.Message) { m.Auth = reply.Auth{} }, outcome: ": not accepted", status: Pending, mails: []string{"reply_not_accepted ana"}},
		"another domain passes": {change: func(m *reply.Message) {
			m.Auth.Results = []reply.Result{{Method: "dmarc", Value: "pass", Props: map[string]string{"header.from": "evil.example"}}}
		}, outcome: ": not accepted", status: Pending, mails: []string{"reply_not_accepted ana"}},
		"relaxed":        {change: func(m *reply.Message) { m.Auth = reply.Auth{} }, relaxed: true, outcome: ": approved by Ana", status: Approved, mails: []string{"approved rita"}},
		"another person": {change: func(m *reply.Message) { m.From.Address = "bruno@example.com" }, relaxed: true, outcome: ": not accepted", status: Pending},
		"no word":        {change: func(m *reply.Message) { m.Answer = reply.None }, outcome: ": not accepted", status: Pending, mails: []string{"reply_not_accepted ana"}},
		"automatic":      {change: func(m *reply.Message) { m.Class, m.Answer = reply.ClassAutoReply, reply.None }, status: Pending},
		"no token":       {change: func(m *reply.Message) { m.Token = "" }, status: Pending},
		"wrong token":    {change: func(m *reply.Message) { m.Token = strings.Repeat("A", 32) }, status: Pending},
	} {
		w := r.request(r.group(func(g *GroupChange) { g.RelaxedReplies = c.relaxed }, "ana", "bruno"))
		link, token := r.linkTo("ana")
		r.sent()
		m := good
		m.Token = token.Reveal()
		if c.change != nil {
			c.change(&m)
		}
		for range 2 { // the second time is told nothing more
			outcome, taken := r.handle(m)
			if taken != (c.outcome != "") || taken && c.status == Pending && !strings.HasPrefix(outcome, w.Code()+c.outcome) {
				t.Errorf("%s: %q, %v", name, outcome, taken)
			}
		}
		found, _ := r.Find(t.Context(), w.ID)
		if got := r.sent(); found.Status != c.status || !slices.Equal(got, c.mails) {
			t.Errorf("%s: %s, mails %q", name, found.Status, got)
		}
		if c.status == Approved && (found.Decisions[0].Way != Reply || found.Decisions[0].Justification != "as agreed") {
			t.Errorf("%s: %+v", name, found.Decisions)
		}
		m.Token = link.Reveal() // a link is no reply reference
		if _, taken := r.handle(m); taken {
			t.Errorf("%s: a link was taken for a reply token", name)
		}
	}
}

func (r *rig) handle(m reply.Message) (outcome string, taken bool) {
	r.t.Helper()
	err := pgx.BeginFunc(r.t.Context(), r.Pool, func(tx pgx.Tx) (err error) {
		outcome, taken, err = r.HandleReply(r.t.Context(), tx, m)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return outcome, taken
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	g := r.group(func(c *GroupChange) { c.GovernanceIDRequired = true }, "ana")
	closed := r.group(func(c *GroupChange) { c.Active = false }, "ana")
	for name, c := range map[string]struct {
		change func(*New)
		field  string
	}{
		"no requester":  {func(n *New) { n.Requester.Name = " " }, "requester"},
		"no address":    {func(n *New) { n.Requester.Email = "rita" }, "requester"},
		"two addresses": {func(n *New) { n.Requester.Email = "a@b.example, c@d.example" }, "requester"},
		"no zone":       {func(n *New) { n.Requester.TimeZone = "Mars/Base" }, "requester"},
		"no action":     {func(n *New) { n.Action = "" }, "action"},
		"nobody":        {func(n *New) { n.ApproverGroup = "" }, "approver_group"},
		"both":          {func(n *New) { n.Approvers = []NameEmail{{"a", "a@b.example"}} }, "approvers"},
		"unknown group": {func(n *New) { n.ApproverGroup = "nobody" }, "approver_group"},
		"closed group":  {func(n *New) { n.ApproverGroup = closed.Name }, "approver_group"},
		"past":          {func(n *New) { n.End = r.clock().Add(-time.Minute) }, "end"},
		"no end":        {func(n *New) { n.End = time.Time{} }, "end"},
		"back to front": {func(n *New) { n.Start = n.End.Add(time.Hour) }, "end"},
		"no ticket":     {func(n *New) { n.GovernanceID = "" }, "governance_id"},
		"long":          {func(n *New) { n.Reason = strings.Repeat("x", 301) }, "reason"},
		"NUL":           {func(n *New) { n.Justification = "a\x00" }, "justification"},
		"no UTF-8":      {func(n *New) { n.DeviceHostname = "\xff" }, "device_hostname"},
	} {
		wish := r.wish(g.Name)
		wish.GovernanceID = "CHG-1"
		c.change(&wish)
		var wrong problem.Invalid
		if _, err := r.Create(t.Context(), wish); !errors.As(err, &wrong) || wrong.For(c.field) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	g := r.group(nil, "ana", "bruno:2")
	if len(g.Members) != 2 || g.Members[0].Name != "Ana" {
		t.Errorf("%+v", g.Members)
	}
	change := GroupChange{GroupSettings: g.GroupSettings, Version: g.Version, Members: g.Members[:1]}
	if saved, err := r.SaveGroup(t.Context(), g.ID, change); err != nil || len(saved.Members) != 1 || saved.Version != g.Version+1 {
		t.Errorf("%+v, %v", saved, err)
	}
	var conflict *problem.Conflict
	if _, err := r.SaveGroup(t.Context(), g.ID, change); !errors.As(err, &conflict) {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		change func(*GroupChange)
		field  string
	}{
		"no name":          {func(c *GroupChange) { c.Name = "" }, "name"},
		"taken":            {func(c *GroupChange) { c.Name = strings.ToUpper(g.Name) }, "name"},
		"too many":         {func(c *GroupChange) { c.ApprovalsRequired = 3 }, "members"},
		"empty level":      {func(c *GroupChange) { c.ApprovalInLevels, c.Members[1].Level = true, 3 }, "members"},
		"twice":            {func(c *GroupChange) { c.Members[1] = c.Members[0] }, "members"},
		"nobody":           {func(c *GroupChange) { c.Members = nil }, "members"},
		"unknown":          {func(c *GroupChange) { c.Members[1].UserID = 1 << 40 }, "members"},
		"escalate to none": {func(c *GroupChange) { c.EscalateAfterMinutes = 5 }, "escalate_after_minutes"},
		"validity":         {func(c *GroupChange) { c.ValidityMinutes = 1 }, "validity_minutes"},
	} {
		c2 := GroupChange{GroupSettings: NewGroup(), Members: []Member{{UserID: r.users["ana"], Level: 1}, {UserID: r.users["bruno"], Level: 1}}}
		c2.Name = "Group " + name
		c.change(&c2)
		var wrong problem.Invalid
		if _, err := r.CreateGroup(t.Context(), c2); !errors.As(err, &wrong) || wrong.For(c.field) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := r.request(g)
	if err := r.DeleteGroup(t.Context(), g.ID); err != nil {
		t.Fatal(err)
	}
	if w = r.must(r.decides(w, "ana", Approve)); w.Status != Approved || w.GroupName != g.Name {
		t.Errorf("%+v", w.Request)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	g := r.group(nil, "ana", "bruno")
	var last Whole
	for range 5 {
		last = r.request(g)
	}
	r.request(r.group(nil, "carla"))
	r.must(r.decides(last, "ana", Approve))
	for name, c := range map[string]struct {
		filter Filter
		want   int
	}{
		"all":       {Filter{}, 6},
		"Ana's":     {Filter{UserID: r.users["ana"]}, 5},
		"undecided": {Filter{UserID: r.users["ana"], Undecided: true, Status: Pending}, 4},
		"by code":   {Filter{Search: last.Code()}, 1},
		"wildcard":  {Filter{Search: "%"}, 0},
		"status":    {Filter{Status: Approved}, 1},
	} {
		if rows, _, err := r.List(t.Context(), c.filter); err != nil || len(rows) != c.want {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
	}
	first, next, err := r.List(t.Context(), Filter{Rows: 4})
	rest, end, err2 := r.List(t.Context(), Filter{Rows: 4, Before: next})
	if err != nil || err2 != nil || len(first) != 4 || len(rest) != 2 || end != 0 || first[3].ID != next {
		t.Error(len(first), len(rest), next, end, err, err2)
	}
	if n, err := r.Waiting(t.Context(), r.users["ana"]); err != nil || n != 4 {
		t.Error(n, err)
	}
}
