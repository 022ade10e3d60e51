package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orbit/internal/app"
	"orbit/internal/notify"
)

func TestEventsArePostedAndSimulated(t *testing.T) {
	on(t)
	wants(t, must(t, "event", "simulate", "password.viewed"), "Nobody: no rule")
	attached(t, func(ctx context.Context, o *app.Orbit) {
		ann, err := o.Notify.CreateContact(ctx, notify.Contact{Name: "Ann", Email: "ann@example.net", Active: true})
		if err != nil {
			t.Fatal(err)
		}
		change := notify.RuleChange{RuleSettings: notify.NewRuleSettings(), EventTypes: []string{"password.viewed"}, ContactIDs: []int64{ann.ID}}
		change.Name = "Views"
		if _, err := o.Notify.CreateRule(ctx, change); err != nil {
			t.Fatal(err)
		}
	})
	wants(t, must(t, "event", "simulate", "password.viewed"), "TOLD", "yes", "ann@example.net", "email", "Views", "No account can send now")
	wants(t, must(t, "event", "simulate", "password.viewed", "--json"), `"told": true`)

	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, []byte(`{"credential": "root@db-1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	wants(t, must(t, "event", "post", "password.viewed", "--data", `{"credential": "x"}`), "Event 1: 1 notification, 1 mail on the way now.")
	var first, again notify.Accepted
	for _, accepted := range []*notify.Accepted{&first, &again} {
		if err := json.Unmarshal([]byte(must(t, "event", "post", "password.viewed", "--file", file, "--key", "k", "--json")), accepted); err != nil {
			t.Fatal(err)
		}
	}
	if first.Duplicate || !again.Duplicate || again.ID != first.ID {
		t.Errorf("%+v, again %+v", first, again)
	}
	wants(t, must(t, "event", "post", "password.viewed", "--file", file, "--key", "k"), "was told before")
}

func TestAWrongEventIsWrongUsage(t *testing.T) {
	on(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"event", "post"}, "TYPE is missing"},
		{[]string{"event", "post", "no.such"}, "no event type"},
		{[]string{"event", "post", "password.viewed", "--data", "[1]"}, "--data is not a JSON object"},
		{[]string{"event", "post", "password.viewed", "--data", `{"credentials": 1}`}, "credentials"},
		{[]string{"event", "simulate", "password.viewed", "--data", "{}", "--file", "x"}, "not both"},
	} {
		if status, _, errs := shell(t.Context(), c.args...); status != exitUsage || !strings.Contains(errs, c.want) {
			t.Errorf("orbit %v: status %d, %q", c.args, status, errs)
		}
	}
	wantFailure(t, "no such file", "event", "post", "password.viewed", "--file", filepath.Join(t.TempDir(), "none"))
}
