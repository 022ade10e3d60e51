package approval

import (
	"testing"
)

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
