package notify

import (
	"bytes"
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"time"

	"orbit/internal/account"
	"orbit/internal/mail/submit"
	"orbit/internal/notify/text"
)

// FuzzEventsStayInTheirPlace puts what an application sends into a mail: it must not become a header, a recipient,
// or the end of the message.
func FuzzEventsStayInTheirPlace(f *testing.F) {
	for _, value := range []string{
		"x", "a\r\nBcc: victim@example.com", "a\n.\r\nMAIL FROM:<x@y>", "\x00\u2028\u0085", "=?utf-8?q?Bcc:=20x?=", strings.Repeat("é", 2000), "[#LINK_APPROVE#]", "\xff",
	} {
		f.Add(value, value)
	}
	words := text.Text{Subject: "Seen: [#CREDENTIAL#]", Message: "Hello [#RECIPIENT#],\n\n[#CREDENTIAL#]\n\n[#REASON#]\n"}
	s := &Service{baseURL: &url.URL{Scheme: "https", Host: "orbit.example.com"}}
	kind, _ := KnownType("password.viewed")
	want := headerOf(f, s, kind, words, "x", "x")
	f.Fuzz(func(t *testing.T, credential, reason string) {
		if got := headerOf(t, s, kind, words, credential, reason); got != want {
			t.Errorf("the header has %s, not %s", got, want)
		}
	})
}

// headerOf renders a mail and returns the names of its headers with its recipients.
func headerOf(t testing.TB, s *Service, kind EventType, words text.Text, credential, reason string) string {
	h := happened{kind: kind, data: map[string]any{"credential": credential, "reason": reason}, at: time.Unix(0, 0)}
	rendered := text.Render(words, s.values(h, "Ann", time.UTC), text.Reader{})
	settings := account.SMTPSettings{SenderEmail: "info@example.com", ReplyToEmail: "answers@example.com"}
	m := account.Compose(settings, account.Content{To: []string{"ann@example.net"}, Subject: rendered.Subject, Text: rendered.Text, HTML: rendered.HTML}, "")
	m.MessageID, m.Date = "1@example.com", h.at
	raw, envelope, err := submit.Render(m)
	if err != nil {
		t.Fatalf("an event made a mail that cannot be sent: %v", err)
	}
	read, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("\r\n.\r\n")) && !strings.Contains(rendered.Text, "\n.\n") {
		t.Error("the message ends before its end")
	}
	return strings.Join(sortedKeys(read.Header), " ") + " to " + strings.Join(envelope.To, " ") + " " + read.Header.Get("To")
}
