package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"orbit/internal/account"
	"orbit/internal/identity"
)

// A page of a report over 1,000 accounts, as the server sees it: the promise is a 99th percentile under 20 ms.
func BenchmarkReportOfThousandAccounts(b *testing.B) {
	h := assemble(b)
	for i := range 1000 {
		settings := account.NewSMTPSettings()
		settings.AccountName, settings.SenderEmail = fmt.Sprintf("Account %04d", i), fmt.Sprintf("alerts%d@example.com", i)
		settings.SMTPHost, settings.UseAuthentication = "mail.example.com", false
		if _, err := h.Accounts.CreateSMTP(b.Context(), account.SMTPChange{SMTPSettings: settings}); err != nil {
			b.Fatal(err)
		}
	}
	handler, err := h.Handler()
	if err != nil {
		b.Fatal(err)
	}
	cookie := h.cookie(b, handler)
	var took []time.Duration
	for b.Loop() {
		request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, h.url+"/settings/notifications/smtp?sort=name", nil)
		request.AddCookie(cookie)
		answer := httptest.NewRecorder()
		started := time.Now()
		handler.ServeHTTP(answer, request)
		took = append(took, time.Since(started))
		if answer.Code != http.StatusOK {
			b.Fatalf("%d %s", answer.Code, answer.Body)
		}
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(p99.Microseconds())/1000, "p99-ms")
	if len(took) >= 100 && p99 > 20*time.Millisecond {
		b.Errorf("the 99th percentile is %s, promised are 20 ms", p99)
	}
}

// cookie signs an administrator in without a browser.
func (h *house) cookie(b *testing.B, handler http.Handler) *http.Cookie {
	b.Helper()
	h.somebody(b, "ana", identity.Administrator)
	request := person{base: h.url}.form("/login", "username", "ana", "password", password)
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	cookies := answer.Result().Cookies()
	if len(cookies) == 0 {
		b.Fatalf("sign in: %d", answer.Code)
	}
	return cookies[0]
}
