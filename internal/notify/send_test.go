package notify

import (
	"strings"
	"testing"
)

func TestAnEventBecomesAMail(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("info", r.sink.Port, asDefault)
	r.rule("Passwords", "password.viewed", nil, r.contact("ann"), r.contact("bob"))
	run(t, r.Service)
	e := viewed("root@router-7")
	e.IdempotencyKey = "once"
	accepted := r.post(e)
	if accepted.Deliveries != 2 || accepted.Notifications != 2 {
		t.Errorf("%+v", accepted)
	}
	seen := map[string]bool{}
	for range 2 {
		m := r.sink.Next(t)
		seen[strings.Join(m.To, " ")] = true
		for _, want := range []string{"root@router-7", "Ann Example", "From: <info@example.com>", "Auto-Submitted: auto-generated"} {
			if !strings.Contains(string(m.Data), want) {
				t.Errorf("the mail lacks %q:\n%s", want, m.Data)
			}
		}
	}
	if !seen["ann@example.net"] || !seen["bob@example.net"] {
		t.Errorf("%v", seen)
	}
	r.untilSent(2)
	if again := r.post(e); !again.Duplicate || again.ID != accepted.ID || again.Deliveries != 2 {
		t.Errorf("posted again: %+v", again)
	}
	other := viewed("root@router-8")
	other.IdempotencyKey = "once"
	if _, err := r.Post(r.ctx, other); err == nil || !strings.Contains(err.Error(), "another event") {
		t.Errorf("%v", err)
	}
}
