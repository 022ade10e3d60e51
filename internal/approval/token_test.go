package approval

import (
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

func TestLinks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.request(r.group(nil, "ana", "bruno"))
	link, answer := r.linkTo("ana")
	if raw, err := base64.RawURLEncoding.DecodeString(link.Reveal()); err != nil || len(raw) < 16 || link.Reveal() == answer.Reveal() {
		t.Errorf("a token of %d bytes", len(raw))
	}
	for range 3 { // looking changes nothing
		if seen, a, err := r.Look(t.Context(), link); err != nil || seen.ID != w.ID || a.Name != "Ana" || len(seen.Decisions) != 0 {
			t.Fatal(seen, a, err)
		}
	}
	approve := Decide{Answer: Approve}
	for name, user := range map[string]int64{"nobody": 0, "another": r.users["bruno"]} {
		if _, err := r.DecideByLink(t.Context(), link, user, approve); !errors.Is(err, problem.ErrForbidden) {
			t.Errorf("%s decides by Ana's link: %v", name, err)
		}
	}
	if _, err := r.DecideByLink(t.Context(), answer, r.users["ana"], approve); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("a reply token is no link: %v", err)
	}
	for _, bad := range []string{"", "x", strings.Repeat("a", 32), link.Reveal() + "a"} {
		if _, _, err := r.Look(t.Context(), vault.NewSecret(bad)); !errors.Is(err, problem.ErrNotFound) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	w = r.must(r.DecideByLink(t.Context(), link, r.users["ana"], approve))
	if w.Status != Approved || w.Decisions[0].Way != Page {
		t.Errorf("%+v", w)
	}
	if _, err := r.DecideByLink(t.Context(), link, r.users["ana"], approve); !refused(err, "decided already") {
		t.Errorf("%v", err)
	}
	var kept int
	if err := r.Pool.QueryRow(t.Context(), "select count(*) from decision_token where encode(hash, 'escape') like '%' || $1 || '%'", link.Reveal()).Scan(&kept); err != nil || kept != 0 {
		t.Error("the token is kept readable", err)
	}

	r.request(r.group(func(c *GroupChange) { c.LinkAlone = true }, "ana"))
	link, _ = r.linkTo("ana")
	if w = r.must(r.DecideByLink(t.Context(), link, 0, approve)); w.Status != Approved || w.Decisions[0].Way != Link {
		t.Errorf("%+v", w)
	}
}

func TestAHundredClicksAreOneDecision(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.request(r.group(nil, "ana"))
	link, _ := r.linkTo("ana")
	r.sent()
	var wait sync.WaitGroup
	var mu sync.Mutex
	decided := 0
	for i := range 100 {
		wait.Go(func() {
			answer := Decide{Answer: Approve}
			if i%2 == 1 {
				answer = Decide{Answer: Reject, Justification: "no"}
			}
			_, err := r.DecideByLink(t.Context(), link, r.users["ana"], answer)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				decided++
			case !refused(err, "already"):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	whole, err := r.Find(t.Context(), w.ID)
	if err != nil || decided != 1 || len(whole.Decisions) != 1 || whole.Status == Pending || len(r.sent()) != 1 {
		t.Errorf("%d decided, %+v, %v", decided, whole, err)
	}
}
