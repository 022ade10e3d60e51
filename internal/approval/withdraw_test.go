package approval

import (
	"testing"
	"time"
)

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
