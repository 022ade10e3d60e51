package app_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"orbit/internal/identity"
	"orbit/internal/mail/mailtest"
)

// Events of 3 KB, posted by ten programs at once, each of which becomes a mail: try -benchtime 1500x.
func BenchmarkEventsByTheAPI(b *testing.B) {
	h := newHouse(b)
	p := h.program(b, identity.Administrator)
	h.tell(b, p, mailtest.Drain(b), "password.viewed")
	event := map[string]any{"type": "password.viewed", "data": map[string]any{
		"credential": "x", "reason": strings.Repeat("The quick brown fox jumps over the lazy dog. ", 70),
	}}
	b.ResetTimer()
	began := time.Now()
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			for k := i; k < b.N; k += 10 {
				if status, answer := p.call(http.MethodPost, "/events", event); status != http.StatusAccepted {
					b.Errorf("%d %v", status, answer)
				}
			}
		})
	}
	all.Wait()
	posted := time.Since(began)
	waitUntil(b, "the queue is empty", func() bool {
		var waiting int
		err := h.Pool.QueryRow(b.Context(), "select count(*) from delivery where waiting").Scan(&waiting)
		return err == nil && waiting == 0
	})
	b.ReportMetric(float64(b.N)/posted.Seconds(), "accepted/s")
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "sent/s")
}
