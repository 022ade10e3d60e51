package page

import (
	"testing"

	"orbit/internal/inbox"
)

func TestAMessageLeadsToWhatItIsAbout(t *testing.T) {
	t.Parallel()
	for related, want := range map[string]string{
		"smtp_test/12": "/settings/notifications/smtp/tests/12",
		"delivery/7":   "/settings/notifications/sent/7",
		"loop_test/3":  "/settings/notifications/imap-pop3/5/loop",
		"":             "",
		"delivery/x":   "",
	} {
		v := MessageView{Message: inbox.Message{Row: inbox.Row{Related: related}}}
		v.Mailbox.ID = 5
		got := ""
		if link := v.related(); link != nil {
			got = link.Href
		}
		if got != want {
			t.Errorf("%q leads to %q, want %q", related, got, want)
		}
	}
}
