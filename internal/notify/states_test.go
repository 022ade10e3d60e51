package notify

import (
	"strings"
	"testing"

	"orbit/internal/postgres/pgtest"
)

func TestTheDatabaseKnowsTheSameWords(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	for constraint, words := range map[string][]string{
		"delivery_state":           {string(Queued), string(Retrying), string(Paused), string(Sent), string(Uncertain), string(Failed), string(Cancelled), string(Expired)},
		"delivery_attempt_outcome": {"", string(AttemptSent), string(AttemptRetry), string(AttemptThrottled), string(AttemptUncertain), string(AttemptFailed), string(AttemptAccount)},
		"notification_channel":     {string(Email), string(Screen), string(ByWebhook)},
		"delivery_note_kind":       {string(ActionNote), string(BounceNote), string(DelayNote), string(ReceiptNote), string(ReplyNote), string(DecisionNote)},
	} {
		var rule string
		if err := pool.QueryRow(t.Context(), "select pg_get_constraintdef(oid) from pg_constraint where conname = $1", constraint).Scan(&rule); err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if !strings.Contains(rule, "'"+word+"'") {
				t.Errorf("%s does not allow %q: %s", constraint, word, rule)
			}
		}
		if n := strings.Count(rule, "'") / 2; n != len(words) {
			t.Errorf("%s allows %d words, the program knows %d: %s", constraint, n, len(words), rule)
		}
	}
}
