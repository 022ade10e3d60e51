package submit

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"
)

var update = flag.Bool("update", false, "write the golden files anew")

// full is a message with everything.
func full() Message {
	return Message{
		From:           mail.Address{Name: "Zoë, Notifications", Address: "info@example.com"},
		To:             []mail.Address{{Name: "Ann Example", Address: "ann@bücher.example"}, {Address: "bob@example.net"}},
		Subject:        "Zugriff auf „router-7“ – bitte entscheiden",
		Text:           "Guten Tag,\n.ein Punkt am Anfang\nGrüße\n",
		HTML:           "<html><body><p>Guten Tag</p></body></html>",
		Footer:         "Example AG <Berlin>\nSent by Orbit",
		ReplyTo:        mail.Address{Name: "Answers", Address: "answers@example.com"},
		ReturnPath:     "bounces@example.com",
		ConfirmationTo: "receipts@example.com",
		MessageID:      "4F2@example.com",
		Date:           time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
		Headers: []Header{{"In-Reply-To", "<1@example.net>"}, {"References", "<0@example.net> <1@example.net>"},
			{"List-Id", "Approvals <approvals.example.com>"}},
	}
}

var boundary = regexp.MustCompile(`[0-9a-f]{60}`)

func TestRenderedMessages(t *testing.T) {
	t.Parallel()
	text := full()
	text.HTML, text.Footer, text.ReplyTo, text.ReturnPath, text.ConfirmationTo, text.Headers = "", "", mail.Address{}, "", "", nil
	html := text
	html.Text, html.HTML, html.Footer = "", "<p>Hello</p>", "Footer"
	for name, m := range map[string]Message{"full": full(), "text": text, "html": html} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, _, err := Render(m)
			if err != nil {
				t.Fatal(err)
			}
			got := boundary.ReplaceAll(raw, []byte("BOUNDARY"))
			path := filepath.Join("testdata", name+".eml")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs:\n%s", path, got)
			}
		})
	}
}

func TestEnvelopeComesFromTheMessage(t *testing.T) {
	t.Parallel()
	_, e, err := Render(full())
	if err != nil {
		t.Fatal(err)
	}
	if e.From != "bounces@example.com" || e.MessageID != "<4F2@example.com>" || e.International ||
		strings.Join(e.To, " ") != "ann@xn--bcher-kva.example bob@example.net" {
		t.Errorf("%+v", e)
	}
	m := full()
	m.ReturnPath, m.MessageID = "", ""
	m.From.Address = "zoë@example.com"
	_, e, err = Render(m)
	if err != nil {
		t.Fatal(err)
	}
	if e.From != "zoë@example.com" || !e.International || !strings.HasSuffix(e.MessageID, "@example.com>") {
		t.Errorf("%+v", e)
	}
}

func TestBadValuesAreRefusedWithTheirField(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*Message, string){
		"sender_email":       func(m *Message, v string) { m.From.Address = "a@example.com" + v },
		"sender_name":        func(m *Message, v string) { m.From.Name = v },
		"to":                 func(m *Message, v string) { m.To[0].Address = v + "a@example.com" },
		"subject":            func(m *Message, v string) { m.Subject = "Hello" + v },
		"reply_to_email":     func(m *Message, v string) { m.ReplyTo.Address = "a" + v + "@example.com" },
		"reply_to_name":      func(m *Message, v string) { m.ReplyTo = mail.Address{Name: v, Address: "a@example.com"} },
		"return_path_email":  func(m *Message, v string) { m.ReturnPath = "a@example.com" + v },
		"confirmation_email": func(m *Message, v string) { m.ConfirmationTo = "a@example.com" + v },
		"message_id":         func(m *Message, v string) { m.MessageID = "a" + v + "@example.com" },
		"headers":            func(m *Message, v string) { m.Headers = []Header{{"References", "<1@example.net>" + v}} },
	}
	for field, set := range cases {
		for _, evil := range []string{"\r\nBcc: x@example.org", "\nX: y", "\r", "\x00", "\x1b[31m", "\u2028", "\u0085", "\xff"} {
			m := full()
			set(&m, evil)
			_, _, err := Render(m)
			var b *BadValue
			if !errors.As(err, &b) || b.Field != field || b.Text == "" {
				t.Errorf("%s with %q: %v", field, evil, err)
			}
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ann@example.com":                        "<ann@example.com>",
		"ann+tag@EXAMPLE.com":                    "<ann+tag@example.com>",
		"o'brien@example.com":                    "<o'brien@example.com>",
		"a..b@example.com":                       `<"a..b"@example.com>`,
		"jürgen@bücher.example":                  "<jürgen@xn--bcher-kva.example>",
		"root@localhost":                         "<root@localhost>",
		"a@[192.0.2.1]":                          "<a@[192.0.2.1]>",
		"a@[IPv6:2001:db8::1]":                   "<a@[IPv6:2001:db8::1]>",
		"":                                       "",
		"ann":                                    "",
		"@example.com":                           "",
		"ann@":                                   "",
		"ann@exa mple.com":                       "",
		"ann@example.com>":                       "",
		"ann@a@example.com":                      "",
		"a b@example.com":                        "",
		`"a b"@example.com`:                      "",
		"a,b@example.com":                        "",
		"<ann@example.com>":                      "",
		"ann@example..com":                       "",
		"ann@.example.com":                       "",
		"ann@[300.0.0.1]":                        "",
		"ann@[192.0.2.1":                         "",
		"ann@[IPv6:fe80::1%eth0]":                "",
		strings.Repeat("x", 65) + "@example.com": "",
	} {
		a, err := parseAddress("to", text)
		got := ""
		if err == nil {
			got = a.path()
		}
		if got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestEncodedText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Hello", "", " leading", "two  blanks", "=?UTF-8?Q?fake?=", "Grüße", strings.Repeat("long", 300),
		strings.Repeat("日本語", 100), "a" + strings.Repeat(" ", 200) + "b", "🙂",
	} {
		m := full()
		m.Subject = text
		raw, _, err := Render(m)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
			if len(line) > 78 || !ascii(line) {
				t.Errorf("%q: line %q", text, line)
			}
		}
		parsed, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject")); got != text {
			t.Errorf("subject %q, %v, want %q", got, err, text)
		}
	}
}

func TestFooterEndsTextAndHTML(t *testing.T) {
	t.Parallel()
	raw, _, err := Render(full())
	if err != nil {
		t.Fatal(err)
	}
	entity, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	_ = entity.Walk(func(_ []int, e *message.Entity, _ error) error {
		if !strings.HasPrefix(e.Header.Get("Content-Type"), "multipart/") {
			body, _ := io.ReadAll(e.Body)
			parts = append(parts, strings.ReplaceAll(string(body), "\r\n", "\n"))
		}
		return nil
	})
	want := []string{
		"Guten Tag,\n.ein Punkt am Anfang\nGrüße\n\n-- \nExample AG <Berlin>\nSent by Orbit\n",
		"<html><body><p>Guten Tag</p><p style=\"font-size:small\">Example AG &lt;Berlin&gt;<br>\nSent by Orbit</p>\n</body></html>",
	}
	if strings.Join(parts, "|") != strings.Join(want, "|") {
		t.Errorf("parts %q\nwant  %q", parts, want)
	}
}

func TestForeignHeadersAreRefused(t *testing.T) {
	t.Parallel()
	for _, h := range []Header{
		{"Bcc", "x@example.org"}, {"From", "x@example.org"}, {"Content-Type", "text/html"}, {"X-Orbit-", "x"}, {"X-Orbit-A:b", "x"},
		{"References", ""}, {"References", "ü"}, {"References", strings.Repeat("x", 1000)}, {"", "x"},
	} {
		m := full()
		m.Headers = []Header{h}
		if _, _, err := Render(m); err == nil {
			t.Errorf("%q was accepted", h)
		}
	}
	m := full()
	m.Headers = []Header{{"X-Orbit-Id", "1"}, {"x-orbit-id", "2"}}
	if _, _, err := Render(m); err == nil {
		t.Error("a header came twice")
	}
}
