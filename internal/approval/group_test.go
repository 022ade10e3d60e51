package approval

import (
	"errors"
	"strings"
	"testing"
	"time"

	"orbit/internal/problem"
)

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
