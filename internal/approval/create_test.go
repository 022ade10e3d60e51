package approval

import (
	"errors"
	"strings"
	"testing"
	"time"

	"orbit/internal/problem"
)

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
