package approval

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

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
