package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"orbit/internal/postgres/pgtest"
)

// What is sent as an array comes back, whatever is in it.
func TestTexts(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	for name, texts := range map[string][]string{
		"none": {}, "one empty": {""}, "some": {"a", "", "NULL", `"{},\`, "ação", "\n\t"}, "long": {strings.Repeat("x", 100_000), "y"},
	} {
		var back []string
		var null bool
		if err := pool.QueryRow(t.Context(), "select $1::text[], $2::text[] is null", texts, []string(nil)).Scan(&back, &null); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(back, texts) || !null {
			t.Errorf("%s: %q came back as %q; null %v", name, texts, back, null)
		}
	}
}
