package notify

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
)

func TestWebhooksAreSignedAndTriedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	type call struct {
		header http.Header
		body   string
	}
	calls := make(chan call, 10)
	refuse := true
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		if refuse {
			refuse = false
			http.Error(w, "not now", http.StatusServiceUnavailable)
		}
		calls <- call{q.Header, string(body)}
	}))
	defer receiver.Close()
	r.client = func(context.Context, bool, int64) (*http.Client, error) { return receiver.Client(), nil }
	hook, secret, err := r.CreateWebhook(r.ctx, WebhookSettings{Name: "CMDB", URL: receiver.URL + "/in", Active: true})
	r.must(err)
	_, err = r.CreateRule(r.ctx, RuleChange{RuleSettings: RuleSettings{Name: "A", Active: true, ByWebhook: true}, EventTypes: []string{"password.viewed"}, WebhookIDs: []int64{hook.ID}})
	r.must(err)
	run(t, r.Service)
	if accepted := r.post(viewed("root")); accepted.Notifications != 1 || accepted.Deliveries != 0 {
		t.Errorf("%+v", accepted)
	}
	first := <-calls
	r.until("the refusal is recorded", func() bool {
		return r.count("select count(*) from webhook_attempt where status = 503 and answer like 'not now%'") == 1
	})
	r.until("the job waits", func() bool {
		return r.count("select count(*) from river_job where kind = 'notify_webhook' and state = 'retryable'") == 1
	})
	r.exec("update river_job set state = 'available', scheduled_at = now() where kind = 'notify_webhook'")
	second := <-calls
	r.until("it is delivered", func() bool { return r.count("select count(*) from webhook_message where state = 'delivered'") == 1 })
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), secretPrefix))
	r.must(err)
	for _, c := range []call{first, second} {
		want := "v1," + sign(key, c.header.Get("webhook-id"), c.header.Get("webhook-timestamp"), c.body)
		if c.header.Get("webhook-signature") != want || c.header.Get("webhook-id") != first.header.Get("webhook-id") {
			t.Errorf("%v", c.header)
		}
	}
	var body struct {
		Type string
		Data map[string]any
	}
	if err := json.Unmarshal([]byte(second.body), &body); err != nil || body.Type != "password.viewed" || body.Data["credential"] != "root" {
		t.Errorf("%s %v", second.body, err)
	}
	renewed, err := r.SaveWebhook(r.ctx, hook.ID, hook.Version, WebhookSettings{Name: "CMDB 2", URL: receiver.URL + "/other", Active: true})
	if err != nil || renewed.Name != "CMDB 2" {
		t.Errorf("%+v %v", renewed, err)
	}
	if _, err := r.TestWebhook(r.ctx, hook.ID); err != nil {
		t.Error(err)
	}
	<-calls
	log, err := r.WebhookMessages(r.ctx, hook.ID, 0, 10)
	if err != nil || len(log) != 2 || log[1].Attempts != 2 {
		t.Errorf("%+v %v", log, err)
	}
	r.must(r.DeleteWebhook(r.ctx, hook.ID))
}

func TestTheSignatureOfStandardWebhooks(t *testing.T) {
	t.Parallel()
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") // the example of standardwebhooks.com
	if err != nil {
		t.Fatal(err)
	}
	got := sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", `{"test": 2432232314}`)
	if got != "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Error(got)
	}
}

func TestDigestsGatherAndQuietHoursHold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := newServer(t, nil)
	r.account("info", server.port, asDefault)
	ann, bob := r.contact("ann"), r.contact("bob")
	r.rule("A", "password.viewed", func(s *RuleSettings) { s.DigestMinutes = 60 }, ann)
	r.rule("B", "password.changed", func(s *RuleSettings) { s.QuietFrom, s.QuietUntil = "00:00", "23:59" }, bob)
	for _, name := range []string{"root@a", "root@b", "root@c"} {
		if accepted := r.post(viewed(name)); accepted.Notifications != 1 || accepted.Deliveries != 0 {
			t.Errorf("%+v", accepted)
		}
	}
	r.post(Event{Type: "password.changed", Data: map[string]any{"credential": "x", "credential_username": "only one"}})
	if n := r.count("select count(*) from river_job where kind = 'notify_digest'"); n != 2 {
		t.Fatalf("%d jobs for two digests", n)
	}
	r.exec("update notification set held_until = now()")
	r.exec("update river_job set scheduled_at = now(), state = 'available' where kind = 'notify_digest'")
	run(t, r.Service)
	r.untilSent(2)
	for _, m := range server.all() {
		switch {
		case strings.HasPrefix(m.to, "ann"):
			for _, name := range []string{"root@a", "root@b", "root@c"} {
				if !strings.Contains(m.raw, name) {
					t.Errorf("the digest lacks %s:\n%s", name, m.raw)
				}
			}
		case !strings.Contains(m.raw, "Subject: Password changed - only one"):
			t.Errorf("a single notification became a digest:\n%s", m.raw)
		}
	}
	if found, _, err := r.List(r.ctx, Filter{EventID: 2}); err != nil || len(found) != 1 || found[0].TextType != "digest" {
		t.Errorf("%+v %v", found, err)
	}
}

func TestWhenMessagesAreHeld(t *testing.T) {
	t.Parallel()
	lisbon := zone("Europe/Lisbon")
	at := func(text string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", text, lisbon)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, c := range []struct {
		name  string
		rule  RuleSettings
		now   string
		until string // empty: at once
	}{
		{"at once", RuleSettings{}, "2026-11-23 12:10", ""},
		{"every 15 minutes", RuleSettings{DigestMinutes: 15}, "2026-11-23 12:10", "2026-11-23 12:15"},
		{"daily, today", RuleSettings{DigestMinutes: Daily, DigestAt: "18:00"}, "2026-11-23 12:10", "2026-11-23 18:00"},
		{"daily, tomorrow", RuleSettings{DigestMinutes: Daily, DigestAt: "08:00"}, "2026-11-23 12:10", "2026-11-24 08:00"},
		{"night", RuleSettings{QuietFrom: "22:00", QuietUntil: "07:00"}, "2026-11-23 23:10", "2026-11-24 07:00"},
		{"after midnight", RuleSettings{QuietFrom: "22:00", QuietUntil: "07:00"}, "2026-11-24 03:10", "2026-11-24 07:00"},
		{"day", RuleSettings{QuietFrom: "22:00", QuietUntil: "07:00"}, "2026-11-23 12:10", ""},
		{"lunch", RuleSettings{QuietFrom: "12:00", QuietUntil: "13:00"}, "2026-11-23 12:10", "2026-11-23 13:00"},
		{"digest into the night", RuleSettings{DigestMinutes: 60, QuietFrom: "22:00", QuietUntil: "07:00"}, "2026-11-23 21:30", "2026-11-24 07:00"},
		{"over the change of clocks", RuleSettings{DigestMinutes: Daily, DigestAt: "08:00"}, "2026-10-24 12:00", "2026-10-25 08:00"},
	} {
		got := hold(c.rule, lisbon, at(c.now))
		want := time.Time{}
		if c.until != "" {
			want = at(c.until)
		}
		if !got.Equal(want) {
			t.Errorf("%s: until %s, want %s", c.name, got.In(lisbon), want)
		}
	}
}

func TestTheBellShowsNotifications(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	user := scan[int64](r, `insert into "user" (username, full_name, role, language) values ('ann', 'Ann', 'operator', 'pt') returning id`)
	ann := r.contact("ann")
	r.exec("update contact set user_id = $1 where id = $2", user, ann)
	r.rule("A", "password.viewed", func(s *RuleSettings) { s.ByEmail, s.OnScreen = false, true }, ann)
	for range 2 {
		r.post(viewed("root"))
	}
	notices, err := r.Notices(r.ctx, user, 10)
	if err != nil || len(notices) != 2 || !strings.Contains(notices[0].Title, "Senha visualizada - root") || notices[0].Read {
		t.Errorf("%+v %v", notices, err)
	}
	r.must(r.MarkRead(r.ctx, user, notices[0].ID))
	if n, err := r.Unread(r.ctx, user); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	r.must(r.MarkRead(r.ctx, user))
	if n, _ := r.Unread(r.ctx, user); n != 0 {
		t.Errorf("%d unread", n)
	}
}

func TestBouncesMarkTheContact(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := newServer(t, nil)
	r.account("info", server.port, asDefault)
	r.rule("bounces", "orbit.address_bounced", nil, r.contact("admin"))
	run(t, r.Service)
	id := r.onePosted()
	d := r.untilState(id, Sent)
	r.must(postgres.InTx(r.ctx, r.pool, func(tx pgx.Tx) error {
		found, err := r.SignTx(r.ctx, tx, Sign{MessageIDs: []string{d.MessageID}, Recipient: "ann@example.net", Kind: BounceNote, Text: "5.1.1 no such user", Permanent: true})
		if found != id {
			t.Errorf("the bounce is about %d, not %d", found, id)
		}
		return err
	}))
	r.untilSent(2)
	if accepted := r.post(viewed("x")); accepted.Deliveries != 0 {
		t.Error("an address that bounces was written to")
	}
	line, err := r.Timeline(r.ctx, id)
	r.must(err)
	if last := line.Steps[len(line.Steps)-1]; last.Kind != string(BounceNote) || !strings.Contains(last.Text, "no such user") {
		t.Errorf("%+v", line.Steps)
	}
}

func TestOldMessagesAreForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := newServer(t, nil)
	r.account("info", server.port, asDefault)
	stop := run(t, r.Service)
	r.untilState(r.onePosted(), Sent)
	stop()
	r.onePosted()
	r.must(r.forgetOld(r.ctx))
	if n := r.count("select count(*) from delivery"); n != 2 {
		t.Fatalf("%d messages are left of two young ones", n)
	}
	r.exec("update delivery set created_at = now() - interval '200 days'")
	r.exec("update event set created_at = now() - interval '200 days'")
	r.must(r.forgetOld(r.ctx))
	for _, table := range []string{"delivery", "event", "notification"} {
		if n := r.count("select count(*) from " + table); n != 1 {
			t.Errorf("%d rows of %s are left; the message that waits needs one", n, table)
		}
	}
	if n := r.count("select count(*) from delivery_message") + r.count("select count(*) from delivery_attempt"); n != 0 {
		t.Errorf("%d parts are left", n)
	}
}
