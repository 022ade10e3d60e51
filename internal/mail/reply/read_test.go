package reply

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestHeaderOfAReply(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/charset-words-split-in-character.eml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Read(bytes.NewReader(raw), sender)
	if err != nil {
		t.Fatal(err)
	}
	if m.From.Name != "João Leão" || m.Subject != "RES: Solicitação de acesso S000520, administração do banco de produção" {
		t.Errorf("from %q, subject %q", m.From.Name, m.Subject)
	}
	if want := time.Date(2025, 3, 4, 10, 20, 0, 0, time.UTC); !m.Date.Equal(want) || m.ReturnPath != "joao.leao@pontealta.example.org" {
		t.Errorf("date %v, return path %q", m.Date, m.ReturnPath)
	}
}

func TestIDsAreReadInManyForms(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"<a@b> <c@d>": "a@b|c@d", "<a@b>\t<c@d>, <e@f>": "a@b|c@d|e@f", "<a@\n b>": "a@b", "a@b": "a@b", "a@b; c@d": "a@b|c@d", "": "", "<>": "", "<unclosed@x": "unclosed@x", "no ids here": "",
		"Your message of \"Monday\" <a@b>": "a@b",
	} {
		if got := strings.Join(messageIDs(value), "|"); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestStatusCodesAreNoAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"550 5.1.1 unknown": "5.1.1", "(#5.7.26)": "5.7.26", "4.4.7": "4.4.7", "host 5.6.7.8 said no": "", "10.5.1.1": "", "15.1.1": "", "version 5.1": "", "at 203.0.113.5.": "", "5.1.1.": "5.1.1", "5.1234.1": "",
	} {
		if got := statusCode(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAnAttachmentCanBeCopied(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/reply-attachment-and-text-around.eml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Read(bytes.NewReader(raw), sender)
	if err != nil || len(m.Attachments) != 1 {
		t.Fatalf("%v %+v", err, m.Attachments)
	}
	var out bytes.Buffer
	if err := CopyPart(&out, bytes.NewReader(raw), m.Attachments[0].Part, Limits{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "%PDF-1.4") || int64(out.Len()) != m.Attachments[0].Size {
		t.Errorf("%d bytes %.20q, size %d", out.Len(), out.String(), m.Attachments[0].Size)
	}
	full := errors.New("disk full")
	if err := CopyPart(failing{full}, bytes.NewReader(raw), m.Attachments[0].Part, Limits{}); !errors.Is(err, full) {
		t.Errorf("a failing writer: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestAReadErrorIsReported(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection lost")
	m, err := Read(io.MultiReader(strings.NewReader("Subject: x\r\n\r\nfirst words\r\n"), iotest.ErrReader(broken)), Options{})
	if !errors.Is(err, broken) || m.Subject != "x" || m.Text != "first words" {
		t.Errorf("%v %q %q", err, m.Subject, m.Text)
	}
}

func TestTextsAreBounded(t *testing.T) {
	t.Parallel()
	one := "--b\r\nContent-Type: text/plain\r\n\r\n" + strings.Repeat("words and words\r\n", 20000)
	m, err := Read(strings.NewReader("Content-Type: multipart/mixed; boundary=b\r\n\r\n"+strings.Repeat(one, 80)+"--b--\r\n"), Options{})
	if err != nil || len(m.Body) > 600<<10 || len(m.Body) < 200<<10 {
		t.Errorf("%v, body of %d bytes", err, len(m.Body))
	}
}

// TestALargeMessageNeedsLittleMemory reads 50 MB of attachment below a reply. It is not parallel, so that what is
// allocated is its own.
func TestALargeMessageNeedsLittleMemory(t *testing.T) {
	head := "In-Reply-To: <orbit-1@orbit.example.com>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nAPPROVE\r\n--b\r\n" +
		"Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	chunk := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 1000)
	var attachment []io.Reader
	for range 50 << 20 / len(chunk) {
		attachment = append(attachment, strings.NewReader(chunk))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, err := Read(io.MultiReader(strings.NewReader(head), io.MultiReader(attachment...), strings.NewReader("--b--\r\n")), sender)
	runtime.ReadMemStats(&after)
	if err != nil || m.Answer != Approve || len(m.Attachments) != 1 || m.Attachments[0].Size < 36<<20 {
		t.Fatalf("%v %q %+v", err, m.Answer, m.Attachments)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes allocated", used)
	}
}
