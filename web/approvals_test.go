package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/approval"
	"orbit/internal/identity"
	"orbit/internal/notify"
)

// outbox keeps what would be sent.
type outbox struct {
	mu          sync.Mutex
	mails       []notify.Message
	invitations []identity.Invitation
}

func (o *outbox) SendTx(_ context.Context, _ pgx.Tx, m notify.Message) (int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mails = append(o.mails, m)
	return int64(len(o.mails)), nil
}

func (*outbox) PostTx(context.Context, pgx.Tx, notify.Event) (notify.Accepted, error) {
	return notify.Accepted{}, nil
}

func (*outbox) CancelRequestTx(context.Context, pgx.Tx, int64) (int, error) { return 0, nil }

func (o *outbox) invite(_ context.Context, _ pgx.Tx, i identity.Invitation) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.invitations = append(o.invitations, i)
	return nil
}

// linkTo is the path of the decision link in the last mail to an address.
func (s *site) linkTo(email string) string {
	s.t.Helper()
	s.sent.mu.Lock()
	defer s.sent.mu.Unlock()
	for i := len(s.sent.mails) - 1; i >= 0; i-- {
		if m := s.sent.mails[i]; m.To == email && m.Values["URL_APPROVE"].URL != "" {
			u, err := url.Parse(m.Values["URL_APPROVE"].URL)
			if err != nil {
				s.t.Fatal(err)
			}
			return u.Path
		}
	}
	s.t.Fatalf("no decision mail to %s", email)
	return ""
}

// people ties approvals to users, as internal/app does.
type people struct{ *identity.Service }

func person(u identity.User) approval.Person {
	return approval.Person{UserID: u.ID, Name: u.DisplayName(), Email: u.Email, Language: string(u.Language), TimeZone: u.TimeZone, Active: u.Active}
}

func (p people) Persons(ctx context.Context, tx pgx.Tx, ids []int64) ([]approval.Person, error) {
	users, err := p.FindUsers(ctx, tx, ids)
	var found []approval.Person
	for _, u := range users {
		found = append(found, person(u))
	}
	return found, err
}

func (p people) Member(ctx context.Context, name, email string) (approval.Person, error) {
	u, err := p.MemberByEmail(ctx, name, email)
	return person(u), err
}

// approver is a member with an address.
func (s *site) approver(name string) identity.User {
	s.t.Helper()
	u := s.somebody(name, identity.Member)
	u.Email = name + "@example.com"
	u, err := s.identity.UpdateUser(s.t.Context(), u)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// request is one that members decide.
func (s *site) request(change func(*approval.GroupChange), members ...identity.User) approval.Whole {
	s.t.Helper()
	c := approval.GroupChange{GroupSettings: approval.NewGroup()}
	c.Name = "Group " + strconv.Itoa(time.Now().Nanosecond())
	for _, m := range members {
		c.Members = append(c.Members, approval.Member{UserID: m.ID, Level: 1})
	}
	if change != nil {
		change(&c)
	}
	g, err := s.approvals.CreateGroup(s.t.Context(), c)
	if err != nil {
		s.t.Fatal(err)
	}
	w, err := s.approvals.Create(s.t.Context(), approval.New{
		Requester: approval.Requester{Name: "Rita <b>Reyes</b>", Email: "rita@example.com"}, ApproverGroup: g.Name, Action: "Start session",
		DeviceHostname: "db-01", CredentialUsername: "root", Justification: "<script>alert(1)</script>", End: s.clock().Add(3 * time.Hour),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}

func at(w approval.Whole) string { return "/approvals/" + strconv.FormatInt(w.ID, 10) }

func TestAMemberDecides(t *testing.T) {
	s := newSite(t)
	w := s.request(nil, s.approver("ana"), s.approver("ben"))
	ana := s.as("ana")
	ana.get("/approvals").is(http.StatusOK, w.Code(), "db-01", "Pending")
	ana.get(at(w)).is(http.StatusOK, "Rita &lt;b&gt;Reyes&lt;/b&gt;", "Your decision", "&lt;script&gt;").hides("<script>alert")
	ana.get("/settings").is(http.StatusForbidden)
	ana.post(at(w)+"/decide", "answer", "").is(http.StatusUnprocessableEntity, "Choose approve or reject.")
	ana.post(at(w)+"/decide", "answer", "reject").is(http.StatusUnprocessableEntity, "Say why: the requester reads it.")
	ana.post(at(w)+"/decide", "answer", "approve", "end", "never").is(http.StatusUnprocessableEntity, "is no day and time")
	ana.post(at(w)+"/decide", "answer", "approve", "justification", "fine").leads(at(w))
	ana.get(at(w)).is(http.StatusOK, "Success. Request approved.", "Approved", "fine", "Revoke").hides("Your decision")
	s.as("ben").post(at(w)+"/decide", "answer", "reject", "justification", "no").is(http.StatusUnprocessableEntity, "There is nothing left to decide")
	ana.post(at(w)+"/revoke", "justification", "").is(http.StatusUnprocessableEntity, "Say why")
	ana.post(at(w)+"/revoke", "justification", "leak").leads(at(w))
	ana.get("/approvals?status=any").is(http.StatusOK, "Revoked")
	ana.get("/approvals?format=csv&status=any").is(http.StatusOK, w.Code()+",")
}

func TestOthersSeeNoRequests(t *testing.T) {
	s := newSite(t)
	w := s.request(nil, s.approver("ana"))
	s.approver("eve")
	eve := s.as("eve")
	eve.get(at(w)).is(http.StatusNotFound)
	eve.post(at(w)+"/decide", "answer", "approve").is(http.StatusNotFound)
	eve.post(at(w)+"/revoke", "justification", "x").is(http.StatusNotFound)
	eve.get("/approvals?whose=all&status=any").is(http.StatusOK).hides(w.Code())
	s.somebody("olga", identity.Auditor)
	olga := s.as("olga")
	olga.get("/approvals?whose=all").is(http.StatusOK, w.Code())
	olga.get(at(w)).is(http.StatusOK).hides("Your decision")
	olga.post(at(w)+"/decide", "answer", "approve").is(http.StatusForbidden)
	s.guest().get("/approvals").leads("/login?next=%2Fapprovals")
}

// Scanners of mail open every link, some even press what looks like a button by HEAD or by following it.
func TestLookingAtALinkDecidesNothing(t *testing.T) {
	s := newSite(t)
	w := s.request(func(c *approval.GroupChange) { c.LinkAlone = true }, s.approver("ana"))
	link := s.linkTo("ana@example.com")
	for range 50 {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			for _, query := range []string{"", "?answer=approve", "?answer=reject"} {
				s.guest().do(method, link+query, nil).is(http.StatusOK)
			}
		}
	}
	s.guest().do(http.MethodPost, link, url.Values{"answer": {"approve"}}, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example").is(http.StatusForbidden)
	if found, err := s.approvals.Find(t.Context(), w.ID); err != nil || len(found.Decisions) != 0 {
		t.Fatalf("%+v, %v", found.Decisions, err)
	}
	page := s.guest().get(link+"?answer=approve").is(http.StatusOK, "Access request "+w.Code(), "Your decision")
	if got := page.header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("Referrer-Policy %q", got)
	}
	s.guest().post(link, "answer", "approve").is(http.StatusOK, "Success. Request approved.")
	s.guest().post(link, "answer", "approve").is(http.StatusUnprocessableEntity, "You have decided already")
}

func TestALinkAsksWhoOneIs(t *testing.T) {
	s := newSite(t)
	w := s.request(nil, s.approver("ana"))
	s.approver("eve")
	link := s.linkTo("ana@example.com")
	s.guest().get(link).leads("/login?next=" + url.QueryEscape(link)).hides("db-01")
	s.guest().post(link, "answer", "approve").hides("Success")
	s.as("eve").get(link).is(http.StatusForbidden, "was sent to somebody else").hides("db-01")
	s.as("eve").post(link, "answer", "approve").is(http.StatusForbidden)
	s.guest().get("/decide/"+strings.Repeat("x", 32)).is(http.StatusNotFound, "no request behind this link")
	ana := s.as("ana")
	ana.get(link).is(http.StatusOK, "db-01")
	ana.post(link, "answer", "reject", "justification", "not today").is(http.StatusOK, "Success. Request rejected.")
	if found, err := s.approvals.Find(t.Context(), w.ID); err != nil || found.Status != approval.Rejected {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestTimesOfADecisionAreTheReaders(t *testing.T) {
	s := newSite(t)
	ana := s.approver("ana")
	ana.TimeZone = "America/Sao_Paulo"
	if _, err := s.identity.UpdateUser(t.Context(), ana); err != nil {
		t.Fatal(err)
	}
	w := s.request(nil, ana)
	zone, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	end := w.End.Add(-time.Hour).In(zone)
	s.as("ana").post(at(w)+"/decide", "answer", "approve", "end", end.Format("2006-01-02T15:04")).leads(at(w))
	if found, _ := s.approvals.Find(t.Context(), w.ID); !found.End.Equal(end.Truncate(time.Minute)) {
		t.Errorf("ends %s, want %s", found.End, end)
	}
}

func TestApproverGroups(t *testing.T) {
	s := newSite(t)
	s.somebody("ada", identity.Administrator)
	s.approver("ana")
	s.somebody("nobody", identity.Member)
	ada := s.as("ada")
	ada.get("/settings/approver-groups").is(http.StatusOK, "No approver group yet")
	ada.get("/settings/approver-groups/new").is(http.StatusOK, "Approvals required", `value="60"`)
	fields := func(changed ...string) []string {
		return append([]string{
			"name", "Databases", "active", "yes", "approval_required", "yes", "approval_in_levels", "no", "approvals_required", "1",
			"rejections_to_cancel", "1", "validity_minutes", "60", "approver_may_shorten", "yes", "governance_id_required", "no", "emergency_access", "no",
			"always_add_manager", "no", "remind_after_minutes", "0", "escalate_after_minutes", "0", "link_alone", "no", "relaxed_replies", "no",
		}, changed...)
	}
	ada.post("/settings/approver-groups", fields("level_1", "ana\nghost")...).is(http.StatusUnprocessableEntity, "There is no user “ghost”", "ana\nghost")
	ada.post("/settings/approver-groups", fields("level_1", "nobody")...).is(http.StatusUnprocessableEntity, "has no e-mail address")
	ada.post("/settings/approver-groups", fields()...).is(http.StatusUnprocessableEntity, "has 0 of the 1 approvers")
	ada.post("/settings/approver-groups", fields("level_1", "ANA@example.com")...).leads("/settings/approver-groups")
	ada.get("/settings/approver-groups").is(http.StatusOK, "Databases", "1 approval within 60 minutes")
	groups, err := s.approvals.Groups(t.Context())
	if err != nil || len(groups) != 1 {
		t.Fatal(groups, err)
	}
	one := "/settings/approver-groups/" + strconv.FormatInt(groups[0].ID, 10)
	ada.get(one).is(http.StatusOK, "ana@example.com")
	ada.post(one, fields("level_1", "ana", "version", "1", "validity_minutes", "30")...).leads("/settings/approver-groups")
	ada.post(one, fields("level_1", "ana", "version", "1")...).is(http.StatusUnprocessableEntity, "changed this while you were working")
	ada.post(one + "/delete").leads("/settings/approver-groups")

	ada.post("/settings/approver-groups/deputies", "user", "ana", "deputy", "ada", "from", "2026-01-01T00:00", "until", "x").is(http.StatusUnprocessableEntity, "Enter a day and a time")
	until := s.clock().Add(48 * time.Hour).UTC().Format("2006-01-02T15:04")
	ada.post("/settings/approver-groups/deputies", "user", "ana", "deputy", "ada", "from", "2026-01-01T00:00", "until", until).leads("/settings/approver-groups/deputies")
	ada.get("/settings/approver-groups/deputies").is(http.StatusOK, "Deputy", "ada")
}

func TestInvitations(t *testing.T) {
	s := newSite(t)
	s.somebody("ada", identity.Administrator)
	ana := s.approver("ana")
	s.as("ada").post("/settings/users/" + strconv.FormatInt(ana.ID, 10) + "/invite").leads("/settings/users")
	path := "/invitation/" + s.sent.invitations[0].Token.Reveal()
	guest := s.guest()
	guest.get(path).is(http.StatusOK, "Choose a password", "Your username is ana")
	guest.post(path, "password", "short").is(http.StatusUnprocessableEntity, "12 characters")
	guest.post(path, "password", "a different sentence entirely").leads("/approvals")
	guest.get("/approvals").is(http.StatusOK, "Nothing waits for you")
	s.guest().get(path).is(http.StatusNotFound, "can&#39;t be used")
}
