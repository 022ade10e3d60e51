package proxyhost

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"orbit/internal/mail/proxy"
)

// line writes an event as a session would.
func (r *rig) line(account, text string) {
	r.write(entry{level: Info, kind: "test", account: account, text: text})
}

// writing runs nothing but the journal.
func (r *rig) writing() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.journal.run(ctx)
	}()
	r.t.Cleanup(func() {
		cancel()
		<-ended
	})
}

func texts(events []Event) string {
	all := make([]string, len(events))
	for i, e := range events {
		all[i] = e.Text
	}
	return strings.Join(all, " ")
}

func TestLogIsReadInParts(t *testing.T) {
	r := newRig(t)
	r.writing()
	for i := range 10 {
		r.line([]string{"a@example.com", "b@example.com"}[i%2], fmt.Sprint(i))
	}
	r.awaitEvent("test", "9")
	all, err := r.Events(r.ctx, EventFilter{})
	r.must(err)
	r.exec("update proxy_event set at = now() - interval '1 hour' where text < '4'")
	for _, tt := range []struct {
		filter EventFilter
		want   string
	}{
		{EventFilter{}, "0 1 2 3 4 5 6 7 8 9"},
		{EventFilter{Limit: 3}, "7 8 9"},
		{EventFilter{Limit: 2, Before: all[3].ID}, "1 2"},
		{EventFilter{Limit: 2, After: all[3].ID}, "4 5"},
		{EventFilter{Account: " B@Example.com "}, "1 3 5 7 9"},
		{EventFilter{Account: "nobody"}, ""},
		{EventFilter{ListenerID: 7}, ""},
		{EventFilter{Since: time.Now().Add(-time.Minute)}, "4 5 6 7 8 9"},
		{EventFilter{Since: time.Now().Add(-time.Minute), Account: "a@example.com"}, "4 6 8"},
	} {
		events, err := r.Events(r.ctx, tt.filter)
		if err != nil || texts(events) != tt.want {
			t.Errorf("%+v: got %q, %v; want %q", tt.filter, texts(events), err, tt.want)
		}
	}
}

func TestFollowMissesNothing(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		name   string
		filter EventFilter
		before int // events that are there already, and read before more are written
		want   string
	}{
		{"from an empty log", EventFilter{}, 0, "0 1 2 3 4"},
		{"after the newest", EventFilter{Limit: 2}, 2, "3 4 0 1 2 3 4"},
		{"since", EventFilter{Since: time.Now().Add(-time.Hour), Limit: 4}, 10, "0 1 2 3 4 0 1 2 3 4 0 1 2 3 4"},
		{"since now", EventFilter{Since: time.Now().Add(time.Hour)}, 0, ""},
	} {
		ctx, cancel := context.WithTimeout(r.ctx, patient)
		if tt.want == "" { // nothing is to come
			cancel()
		}
		var seen []string
		var read atomic.Int64
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for e, err := range r.Follow(ctx, tt.filter) {
				if err != nil {
					t.Error(err)
					return
				}
				read.Add(1)
				if seen = append(seen, e.Text); len(seen) == len(strings.Fields(tt.want)) {
					return
				}
			}
		}()
		r.until("a reader", func() bool { return tt.want == "" || r.readers() > 0 && int(read.Load()) >= tt.before })
		for i := range 5 {
			r.must(r.journal.write(r.ctx, []entry{{at: time.Now(), level: Info, kind: "test", text: fmt.Sprint(i)}}))
		}
		<-ended
		cancel()
		if got := strings.Join(seen, " "); !strings.HasSuffix(tt.want, got) || len(got) != len(tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func (r *rig) readers() int {
	r.journal.mu.Lock()
	defer r.journal.mu.Unlock()
	return len(r.journal.readers)
}

// Whoever reads the log in one process learns at once what happens in another.
func TestFollowHearsOtherProcesses(t *testing.T) {
	r := newRig(t)
	r.run(r.process)
	other := r.newProcess()
	ctx, cancel := context.WithTimeout(r.ctx, patient)
	defer cancel()
	go func() {
		r.until("a reader", func() bool { return r.readers() > 0 })
		if err := other.journal.write(ctx, []entry{{at: time.Now(), level: Info, kind: "test", text: "hello"}}); err != nil {
			t.Error(err)
		}
	}()
	for e, err := range r.Follow(ctx, EventFilter{}) {
		r.must(err)
		if e.Text == "hello" {
			return
		}
	}
	t.Error("nothing was heard")
}

// A database that hangs holds up no session. What has no room is counted, and the log says so.
func TestSlowDatabaseDelaysNobody(t *testing.T) {
	r, l := ready(t, proxy.IMAP)
	tx, err := r.pool.Begin(r.ctx)
	r.must(err)
	r.must(lockEvents(r.ctx, tx))
	for range maxQueue + 2*maxBatch + 10 {
		r.line("", "flood")
	}
	begun := time.Now()
	r.must(r.login(l, mailbox, password))
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the sign-in took %v", took)
	}
	if r.journal.lost.Load() == 0 {
		t.Error("nothing was lost, so nothing was tested")
	}
	r.must(tx.Rollback(r.ctx))
	r.awaitEvent("lost", "Events were not written because the database was slow: ")
}

func TestLogIsBounded(t *testing.T) {
	r := newRig(t)
	for i := range 10 {
		r.must(r.journal.write(r.ctx, []entry{{at: time.Now().Add(-time.Duration(10-i) * time.Hour), level: Info, kind: "test", text: fmt.Sprint(i)}}))
	}
	r.must(pruneEvents(r.ctx, r.pool, time.Now().Add(-8*time.Hour-30*time.Minute), 1000))
	if events, err := r.Events(r.ctx, EventFilter{}); err != nil || texts(events) != "2 3 4 5 6 7 8 9" {
		t.Errorf("by age %q remain, %v", texts(events), err)
	}
	r.must(pruneEvents(r.ctx, r.pool, time.Time{}, 3))
	if events, err := r.Events(r.ctx, EventFilter{}); err != nil || texts(events) != "7 8 9" {
		t.Errorf("by number %q remain, %v", texts(events), err)
	}
}
