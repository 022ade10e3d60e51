package page

import (
	"testing"

	"orbit/internal/inbox"
)

func TestReceivedWords(t *testing.T) {
	t.Parallel()
	for want, h := range map[string]inbox.Health{"1,234": {Stored: 1234}, "10,000": {Stored: 10_000}, "10,000+": {Stored: 10_000, StoredMore: true}} {
		if got := ReceivedWords(h); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
