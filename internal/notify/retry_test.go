package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"orbit/internal/account"
	"orbit/internal/mail/mailtest"
)

// hurry makes everything due that waits for its next attempt.
func (r *rig) hurry() {
	r.exec("update delivery set due_at = now() where waiting")
	r.exec("update sender set broken_until = now(), rest_until = now()")
	r.forgetRoutes()
	r.wake.raise()
}

func (r *rig) untilState(id int64, state State) Delivery {
	r.t.Helper()
	var d Delivery
	r.until(fmt.Sprintf("message %d is %s", id, state), func() bool {
		var err error
		d, err = r.FindDelivery(r.ctx, id)
		r.must(err)
		return d.State == state
	})
	return d
}

// onePosted posts an event for one contact and returns the id of its message.
func (r *rig) onePosted() int64 {
	r.t.Helper()
	if r.count("select count(*) from notification_rule where name = 'A'") == 0 {
		r.rule("A", "password.viewed", nil, r.contact("ann"))
	}
	accepted := r.post(viewed("x"))
	return scan[int64](r, "select id from delivery where event_id = $1", accepted.ID)
}

func TestTemporaryRefusalsAreTriedAgainWithTheSameBytes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := newServer(t, refuseFirst(2, no(451, "try again")))
	r.account("info", server.port, asDefault)
	run(t, r.Service)
	id := r.onePosted()
	d := r.untilState(id, Retrying)
	if wait := time.Until(d.DueAt); wait < 50*time.Second || wait > 70*time.Second {
		t.Errorf("the second attempt is in %s", wait)
	}
	first := scan[[]byte](r, "select raw from delivery_message where delivery_id = $1", id)
	r.hurry()
	r.until("the second attempt", func() bool { return r.count("select count(*) from delivery_attempt where ended_at is not null") == 2 })
	d = r.untilState(id, Retrying)
	if wait := time.Until(d.DueAt); wait < 290*time.Second || wait > 310*time.Second {
		t.Errorf("the third attempt is in %s", wait)
	}
	r.hurry()
	if d = r.untilState(id, Sent); d.Attempts != 3 {
		t.Errorf("%+v", d)
	}
	if mail := server.all()[0]; mail.messageID != d.MessageID || string(first) != mail.raw {
		t.Errorf("other bytes were sent than those of the first attempt:\n%s\n%s", first, mail.raw)
	}
}

func TestPermanentRefusalsEndAMessage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := newServer(t, refuseFirst(1, no(550, "no such user")))
	r.account("info", server.port, asDefault)
	run(t, r.Service)
	d := r.untilState(r.onePosted(), Failed)
	if d.EndedAt == nil || d.Attempts != 1 || !strings.Contains(d.Reply, "no such user") || d.Fault == nil {
		t.Errorf("%+v", d)
	}
	r.untilState(r.onePosted(), Sent)
}

func TestThrottlingSlowsTheAccountAndDoesNotCount(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := newServer(t, refuseFirst(1, no(432, "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded")))
	r.account("info", server.port, asDefault, connections(3))
	run(t, r.Service)
	id := r.onePosted()
	r.until("the account rests", func() bool {
		return r.count("select count(*) from sender where rest_until > now() + interval '20 seconds'") == 1
	})
	d := r.untilState(id, Retrying)
	if d.Attempts != 0 {
		t.Errorf("throttling counts: %+v", d)
	}
	budgets, err := r.Budgets(r.ctx)
	if err != nil || len(budgets) != 1 || budgets[0].RestUntil == nil || budgets[0].Waiting != 1 {
		t.Errorf("%+v %v", budgets, err)
	}
	r.hurry()
	r.untilState(id, Sent)
}

func TestAMessageInDoubtIsSentAgainOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := newServer(t, func(int, string) (error, bool) { return nil, true })
	r.account("info", server.port, asDefault)
	run(t, r.Service)
	id := r.onePosted()
	d := r.untilState(id, Uncertain)
	if d.EndedAt != nil || time.Until(d.DueAt) < 50*time.Second {
		t.Errorf("%+v", d)
	}
	r.hurry()
	r.until("it has ended", func() bool { d = r.untilState(id, Uncertain); return d.EndedAt != nil })
	if all := server.all(); len(all) != 2 || all[0].messageID != all[1].messageID {
		t.Errorf("%d copies", len(all))
	}
}

func TestTheNextAccountTakesOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := newServer(t, nil)
	dead := r.account("dead", freePort(t), asDefault)
	r.account("spare", server.port, func(s *account.SMTPSettings) { s.FallbackOrder = 1 })
	r.rule("alarms", "orbit.account_failing", nil, r.contact("admin"))
	run(t, r.Service)
	id := r.onePosted()
	d := r.untilState(id, Sent)
	if d.AccountName != "spare" || d.Attempts != 1 {
		t.Errorf("%+v", d)
	}
	line, err := r.Timeline(r.ctx, id)
	r.must(err)
	if len(line.Attempts) != 2 || line.Attempts[0].Outcome != AttemptAccount || line.Attempts[0].AccountID != dead.ID || !strings.Contains(server.all()[0].raw, "From: <spare@example.com>") {
		t.Errorf("%+v", line.Attempts)
	}
	for range 2 {
		r.hurry()
		r.onePosted()
		r.until("the queue is empty", func() bool { return r.count("select count(*) from delivery where waiting") == 0 })
	}
	r.until("the alarm is told", func() bool {
		return r.count("select count(*) from delivery where text_type = 'orbit.account_failing' and state = 'sent' and smtp_account_id <> $1", dead.ID) == 1
	})
}

func freePort(t testing.TB) int { return mailtest.FreePort(t) }

func TestExpiredMessagesAreNotSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("info", freePort(t), asDefault)
	r.rule("A", "password.viewed", nil, r.contact("ann"))
	e := viewed("x")
	e.Expires = time.Now().Add(2 * time.Second)
	r.post(e)
	r.exec("update delivery set expires_at = now() - interval '1 second'")
	if n, err := expire(r.ctx, r.pool); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	if state := scan[State](r, "select state from delivery"); state != Expired {
		t.Error(state)
	}
}

func TestTheScheduleOfRetries(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]time.Duration{1: time.Minute, 2: 5 * time.Minute, 3: 15 * time.Minute, 4: 30 * time.Minute} {
		if got := retryAfter(n); got != want {
			t.Errorf("after attempt %d: %s", n, got)
		}
	}
	seen := map[time.Duration]bool{}
	for range 1000 {
		d := retryAfter(9)
		seen[d] = true
		if d < 48*time.Minute || d > 72*time.Minute {
			t.Fatalf("%s is not an hour ± 20 %%", d)
		}
	}
	if len(seen) < 500 {
		t.Error("the hourly attempts are not spread")
	}
	it := &item{Attempts: 3, ExpiresAt: time.Now().Add(20 * time.Minute), GivesUpAt: time.Now().Add(keepTrying)}
	if o := (outcome{State: Retrying, Waiting: true}).later(it, time.Now()); o.State != Expired || o.Waiting {
		t.Errorf("the request ends before the next attempt: %+v", o)
	}
	it.GivesUpAt = it.ExpiresAt
	if o := (outcome{State: Retrying, Waiting: true}).later(it, time.Now()); o.State != Failed {
		t.Errorf("five days are over: %+v", o)
	}
}

func TestUrgentMessagesOvertake(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := newServer(t, nil)
	r.account("info", server.port, asDefault, connections(1))
	r.rule("A", "password.viewed", nil, r.contact("ann"))
	r.rule("B", "access_request.approved", nil, r.contact("bob"))
	n := 3000
	r.exec("insert into event (type, data) values ('password.viewed', '{\"credential\": \"x\"}')")
	r.exec(`insert into delivery (event_id, text_type, recipient, priority, expires_at, gives_up_at, message_id)
		select currval('event_id_seq'), 'password.viewed', 'ann@example.net', 2, now() + interval '1 day', now() + interval '1 day', '<' || n || '@example.com>' from generate_series(1, $1) n`, n)
	run(t, r.Service)
	r.until("bulk mail is leaving", func() bool { return len(server.all()) > 10 })
	began := time.Now()
	r.post(Event{Type: "access_request.approved", Data: map[string]any{"request_code": "S1", "requester": "Ann"}})
	r.until("the urgent one is there", func() bool {
		all := server.all()
		return strings.HasPrefix(all[len(all)-1].to, "bob") || countTo(all, "bob@example.net") == 1
	})
	if took := time.Since(began); took > 5*time.Second || len(server.all()) > n {
		t.Errorf("it took %s, after %d others", took, len(server.all()))
	}
}

func countTo(all []taken, to string) (n int) {
	for _, m := range all {
		if m.to == to {
			n++
		}
	}
	return n
}
