package inbox_test

import (
	"strings"
	"testing"

	"orbit/internal/inbox"
	"orbit/internal/mail/reply"
)

func TestAttachmentsGetHarmlessNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"report.pdf":                      "report.pdf",
		"Relatório 3º.pdf":                "Relatório 3º.pdf",
		"../../etc/passwd":                "passwd",
		`C:\Users\ana\evil.exe`:           "evil.exe",
		".bashrc":                         "bashrc",
		"":                                "attachment-7",
		"..":                              "attachment-7",
		"/":                               "attachment-7",
		"invoice\u202efdp.exe":            "invoicefdp.exe", // written so that it looks like exe.pdf
		"a\r\nSet-Cookie: x=1.txt":        "aSet-Cookie x=1.txt",
		`what?"<b>|*.txt`:                 "whatb.txt",
		strings.Repeat("ä", 200) + ".pdf": strings.Repeat("ä", 116) + ".pdf",
	} {
		if got := inbox.FileName(reply.Attachment{Part: 7, Name: name}); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
	if got := inbox.FileName(reply.Attachment{Part: 2, Type: "message/rfc822"}); got != "attachment-2.eml" {
		t.Errorf("a message without a name becomes %q", got)
	}
}
