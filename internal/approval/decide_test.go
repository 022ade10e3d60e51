package approval

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"orbit/internal/problem"
)

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
