package submit

import (
	"errors"
	"math/rand/v2"
	"net/mail"
	"os"
	"strings"
	"testing"
	"time"
)

// pieces are what injected headers and commands are made of.
var pieces = []string{
	"\r\n", "\n", "\r", "\x00", "\n.\n", "\r\n.\r\n", "\x0b", "\x0c", "\u0085", "\u2028", "\u2029", "\t", " ", ",", ";", ":", "<", ">", "\"", "(", ")",
	"\\", "@", ".", "=?UTF-8?B?", "?=", "=0D=0A", "%0d%0a", "Bcc: x@example.org", "MAIL FROM:<x@y>", "example.com", "a", "é", "ß", "日", "🙂", "\u202e",
	"\xff", "\xc3", "xn--", "[", "]", "IPv6:", "-", strings.Repeat("x", 100),
}

// TestNoValueBecomesAHeaderOrACommand tries combinations of pieces in all fields: 20,000 each time, a million with
// ORBIT_SOAK=1.
func TestNoValueBecomesAHeaderOrACommand(t *testing.T) {
	t.Parallel()
	count := 20_000
	if os.Getenv("ORBIT_SOAK") != "" {
		count = 1_000_000
	}
	random := rand.New(rand.NewPCG(1, 2))
	value := func(good string) string {
		if random.IntN(3) > 0 {
			return good
		}
		var b strings.Builder
		for range random.IntN(5) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		at := random.IntN(len(good) + 1)
		return good[:at] + b.String() + good[at:]
	}
	passed := 0
	for range count {
		m := Message{
			From: mail.Address{Name: value("Orbit"), Address: value("info@example.com")},
			To:   []mail.Address{{Name: value(""), Address: value("ann@example.net")}},
			Text: value("text\n"), HTML: "", Subject: value("Hello world"), ReplyTo: mail.Address{Address: value("answers@example.com")},
			ReturnPath: value("bounces@example.com"), ConfirmationTo: value("receipts@example.com"),
			Headers: []Header{{"References", value("<1@example.net>")}}, Date: time.Unix(0, 0),
		}
		raw, e, err := Render(m)
		var b *BadValue
		if errors.As(err, &b) {
			continue
		}
		if err != nil {
			t.Fatalf("%v for %+v", err, m)
		}
		passed++
		checkHeader(t, raw, e, m)
		checkCommands(t, e)
	}
	if passed < count/100 {
		t.Errorf("only %d of %d messages were let through: the test tests little", passed, count)
	}
}
