package setting

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/audit"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/problem"
)

func read(t *testing.T, s *Service) Application {
	t.Helper()
	a, err := s.Application(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func saveNow(t *testing.T, s *Service, a Application) Application {
	t.Helper()
	saved, err := s.Save(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func trail(t *testing.T, pool *pgxpool.Pool) []audit.Row {
	t.Helper()
	rows, _, err := audit.List(t.Context(), pool, audit.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestDefaultsHoldUntilSomethingIsSaved(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	a := read(t, New(pool))
	if a != Default() || a.ReportRows != 30 || a.SentRetentionDays != 180 || a.ScreenRetentionDays != 30 {
		t.Errorf("got %+v", a)
	}
	if err := Default().Validate().Err(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
}

func TestSavedParametersAreReadAndRecorded(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	s := New(pool)
	a := read(t, s)
	a.ReportRows, a.FooterText, a.DefaultConnectorID = 50, "  Orbit\r\nDo not answer.\n", 1
	saved := saveNow(t, s, a)
	if saved.Version != 1 || saved.FooterText != "Orbit\nDo not answer." || saved.ChangedBy != "orbit" || saved.ChangedAt.IsZero() {
		t.Errorf("got %+v", saved)
	}
	for _, service := range []*Service{s, New(pool)} {
		if got := read(t, service); got != saved {
			t.Errorf("got %+v, want %+v", got, saved)
		}
	}
	if again := saveNow(t, s, saved); again.Version != 1 {
		t.Errorf("saving without a change made version %d", again.Version)
	}
	rows := trail(t, pool)
	if len(rows) != 1 || rows[0].Action != "system_parameter.changed" || rows[0].ObjectName != "application" {
		t.Fatalf("got %+v", rows)
	}
	const want = "map[default_network_connector_id:map[now:1 was:0] footer_text:map[now:Orbit\nDo not answer. was:] report_rows:map[now:50 was:30]]"
	if got := fmt.Sprint(rows[0].Detail); got != want {
		t.Errorf("got %s", got)
	}
}

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	_, err := New(pool).Save(t.Context(), Application{
		DefaultConnectorID: -1, FooterText: "a\x00", ReportRows: 4, SenderMaxConnections: 1001, SenderMaxMessagesPerMinute: -1,
	})
	var wrong problem.Invalid
	if !errors.As(err, &wrong) {
		t.Fatalf("got %v", err)
	}
	var fields []string
	for _, f := range wrong {
		fields = append(fields, f.Name)
	}
	want := []string{"default_network_connector_id", "footer_text", "report_rows", "sent_retention_days", "received_retention_days",
		"screen_retention_days", "sender_max_connections", "sender_max_messages_per_minute"}
	if !slices.Equal(fields, want) {
		t.Errorf("got problems with %v, want %v", fields, want)
	}
	for text, change := range map[string]func(*Application){
		"from 5 to 500": func(a *Application) { a.ReportRows = 501 },
		"longer than":   func(a *Application) { a.FooterText = strings.Repeat("ü", maxFooter+1) },
	} {
		a := Default()
		change(&a)
		if err := a.Validate().Err(); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q", err, text)
		}
	}
	if rows := trail(t, pool); len(rows) != 0 {
		t.Errorf("refused inputs left %+v", rows)
	}
}

func TestDefaultConnectorMustBeUsable(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	if _, err := pool.Exec(t.Context(), `insert into network_connector (name, kind, active) values ('off', 'agent', false)`); err != nil {
		t.Fatal(err)
	}
	for _, id := range []int64{2, 99} {
		a := Default()
		a.DefaultConnectorID = id
		_, err := New(pool).Save(t.Context(), a)
		var wrong problem.Invalid
		if !errors.As(err, &wrong) || wrong.For("default_network_connector_id") == "" {
			t.Errorf("connector %d: got %v, want a problem with the field", id, err)
		}
	}
}

func TestSecondEditorIsToldWhatDiffers(t *testing.T) {
	t.Parallel()
	s := New(pgtest.New(t))
	first := read(t, s)
	second := first
	first.ReportRows = 50
	saveNow(t, s, first)
	second.FooterText, second.DefaultConnectorID = "Hello", 1
	_, err := s.Save(audit.WithActor(t.Context(), audit.Actor{Kind: audit.User, Name: "bo"}), second)
	var conflict *problem.Conflict
	if !errors.As(err, &conflict) {
		t.Fatalf("got %v, want a conflict", err)
	}
	want := []problem.Change{
		{Field: "default_network_connector_id", Label: "Default network connector", Stored: "direct", Yours: "1"},
		{Field: "footer_text", Label: "Footer text", Yours: "Hello"},
		{Field: "report_rows", Label: "Rows on a report page", Stored: "50", Yours: "30"},
	}
	if conflict.Who != "orbit" || !slices.Equal(conflict.Changed, want) {
		t.Errorf("got %+v", conflict)
	}
}

func TestOfManyFirstSavesOneWins(t *testing.T) {
	t.Parallel()
	s := New(pgtest.New(t))
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 6 {
		wg.Go(func() {
			a := Default()
			a.ReportRows = 40 + i
			_, err := s.Save(t.Context(), a)
			var conflict *problem.Conflict
			if err != nil && !errors.As(err, &conflict) {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d of 6 saves won, want 1", won)
	}
}

// TestOtherProcessesFollowWithinASecond uses two Services as two processes.
func TestOtherProcessesFollowWithinASecond(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	clock := time.Now()
	ours, theirs := New(pool), New(pool)
	theirs.now = func() time.Time { return clock }
	a := read(t, theirs)
	a.ReportRows = 77
	saveNow(t, ours, a)
	if got := read(t, theirs).ReportRows; got != 30 {
		t.Errorf("got %d rows; within a second the answer comes from memory", got)
	}
	clock = clock.Add(fresh)
	if got := read(t, theirs).ReportRows; got != 77 {
		t.Errorf("got %d rows after a second, want 77", got)
	}
}

func TestLateAnswerDoesNotHideASavedOne(t *testing.T) {
	t.Parallel()
	s := New(nil)
	now := time.Now()
	s.remember(Application{Version: 2, ReportRows: 50}, now)
	if got := s.remember(Application{Version: 1, ReportRows: 30}, now.Add(-time.Millisecond)); got.Version != 2 {
		t.Errorf("got %+v, want version 2", got)
	}
}

func TestOlderRowHasDefaultsForNewerParameters(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	_, err := pool.Exec(t.Context(), `insert into system_parameter (name, value, version) values ('application', '{"report_rows": 99, "gone": 1}', 3)`)
	if err != nil {
		t.Fatal(err)
	}
	if a := read(t, New(pool)); a.ReportRows != 99 || a.ScreenRetentionDays != 30 || a.Version != 3 {
		t.Errorf("got %+v", a)
	}
}
