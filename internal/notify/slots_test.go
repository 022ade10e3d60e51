package notify

import "testing"

// The database may be away at the moment in which a sender gives its connection back. The account must not have one
// less for as long as this process lives.
func TestConnectionsThatNobodyUsesComeBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.account("info", 25, asDefault, connections(2))
	r.must(r.beat(r.ctx))
	for range 2 {
		if _, err := r.slots.take(r.ctx, r.Service, a.ID, 2); err != nil {
			t.Fatal(err)
		}
	}
	r.slots.held.Delete(slot{a.ID, 1}) // as after an attempt to free it that has failed
	r.must(freeStraySlots(r.ctx, r.pool, r.process, r.slots.all()))
	if n := r.count("select count(*) from sender_connection"); n != 2 {
		t.Errorf("%d connections: one that was taken just now may not be known yet", n)
	}
	r.exec("update sender_connection set taken_at = now() - interval '1 minute'")
	r.must(freeStraySlots(r.ctx, r.pool, r.process, r.slots.all()))
	if left := scan[[]int](r, "select array_agg(slot) from sender_connection"); len(left) != 1 || left[0] != 2 {
		t.Errorf("left are %v", left)
	}
	again, err := r.slots.take(r.ctx, r.Service, a.ID, 2)
	if err != nil || again.number != 1 {
		t.Errorf("%+v, %v", again, err)
	}
}
