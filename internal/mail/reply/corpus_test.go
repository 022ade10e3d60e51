package reply

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"orbit/internal/mail/reply/corpus"
)

var update = flag.Bool("update", false, "write the regular messages of the corpus, and expectations for messages that have none")

var token = regexp.MustCompile(`approvals\+([a-z2-7]{26})@`)

// sender is the Orbit that the corpus answers.
var sender = Options{
	Sent: func(id string) bool {
		return strings.HasPrefix(id, "orbit-") && strings.HasSuffix(id, "@orbit.example.com")
	},
	Token: func(text string) string {
		if m := token.FindStringSubmatch(text); m != nil {
			return m[1]
		}
		return ""
	},
	Own: func(address string) bool {
		return strings.EqualFold(address, "notifications@orbit.example.com") || strings.EqualFold(address, "approvals@orbit.example.com")
	},
	AuthservID: "mx.orbit.example.com",
}

func TestMain(m *testing.M) {
	flag.Parse()
	if *update {
		if err := writeCorpus(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func writeCorpus() error {
	messages, err := corpus.Messages()
	if err != nil {
		return err
	}
	for _, m := range messages {
		name := filepath.Join("testdata", m.Name)
		if err := os.WriteFile(name+".eml", m.Raw, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(name+".want", []byte(m.Want), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// TestRegularCorpusIsFresh: what the templates write is what the files hold.
func TestRegularCorpusIsFresh(t *testing.T) {
	t.Parallel()
	messages, err := corpus.Messages()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		raw, err := os.ReadFile(filepath.Join("testdata", m.Name+".eml"))
		if err != nil || !bytes.Equal(raw, m.Raw) {
			t.Errorf("%s differs from its template, run go test -update (%v)", m.Name, err)
		}
	}
}

// corpusFile is a message and what is expected of it.
type corpusFile struct {
	name string
	raw  []byte
	want string
}

func readCorpus(t testing.TB) (files []corpusFile) {
	t.Helper()
	names, err := filepath.Glob("testdata/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(strings.TrimSuffix(name, ".eml") + ".want")
		if err != nil && !*update {
			t.Fatal(err)
		}
		files = append(files, corpusFile{strings.TrimSuffix(filepath.Base(name), ".eml"), raw, string(want)})
	}
	return files
}

// TestCorpus holds the promises: the class right for 98 of 100 messages, the new text for 95, and no approval
// that nobody wrote. Each message is read as it is and with the line ends of the wire.
func TestCorpus(t *testing.T) {
	t.Parallel()
	files := readCorpus(t)
	var s score
	for _, f := range files {
		got := describe(t, f.raw)
		if wire := describe(t, onTheWire(f.raw)); wire != got {
			t.Errorf("%s reads differently with CRLF:\n%s\n%s", f.name, got, wire)
		}
		if f.want == "" {
			if err := os.WriteFile(filepath.Join("testdata", f.name+".want"), []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		s.judge(t, f.name, got, f.want)
	}
	s.report(t)
}

func onTheWire(raw []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}

// score counts what was right.
type score struct{ messages, class, text, details, approvals, falseApprovals, decisions, decided int }

func (s *score) judge(t *testing.T, name, got, want string) {
	s.messages++
	gotHead, gotText, _ := strings.Cut(got, "\n\n")
	wantHead, wantText, _ := strings.Cut(want, "\n\n")
	if field(gotHead, "class") == field(wantHead, "class") {
		s.class++
	}
	if field(wantHead, "class") == "reply" {
		s.decisions++
		if field(gotHead, "answer") == field(wantHead, "answer") {
			s.decided++
		}
	}
	if !strings.Contains(want, "\n\n") || gotText == wantText { // reports are not judged by their prose
		s.text++
	}
	if gotHead == wantHead {
		s.details++
	}
	if field(wantHead, "answer") == "approve" {
		s.approvals++
	} else if field(gotHead, "answer") == "approve" {
		s.falseApprovals++
	}
	if gotHead != wantHead || strings.Contains(want, "\n\n") && gotText != wantText {
		t.Errorf("%s\n--- got\n%s--- want\n%s", name, got, want)
	}
}

func (s *score) report(t *testing.T) {
	percent := func(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }
	t.Logf("%d messages: class right %.1f %%, new text right %.1f %%, details right %.1f %%, decisions right %.1f %% of %d replies, %d approvals, %d false ones",
		s.messages, percent(s.class, s.messages), percent(s.text, s.messages), percent(s.details, s.messages), percent(s.decided, s.decisions), s.decisions, s.approvals, s.falseApprovals)
	if s.messages < 200 || percent(s.class, s.messages) < 98 || percent(s.text, s.messages) < 95 || s.falseApprovals > 0 {
		t.Error("the promise is 200 messages, 98 % of the classes, 95 % of the texts and no false approval")
	}
}

func field(head, name string) string {
	for line := range strings.Lines(head) {
		if value, found := strings.CutPrefix(line, name+": "); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// describe writes what was read as a .want file: the judgement, a blank line, the new text. The prose of reports
// is left out.
func describe(t testing.TB, raw []byte) string {
	t.Helper()
	m, err := Read(bytes.NewReader(raw), sender)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&out, "%s: %s\n", name, value)
		}
	}
	line("class", string(m.Class))
	line("original", m.Original)
	line("token", m.Token)
	line("answer", string(m.Answer))
	if m.Automatic != "" {
		line("automatic", "yes")
	}
	line("from", m.From.Address)
	if m.Class == ClassReply && m.Authentic() {
		line("authentic", "yes")
	}
	describeReports(m, line)
	last := ""
	for _, a := range m.Attachments {
		if shown := strings.TrimSpace(a.Type + " " + a.Name); shown != last && (m.Class == ClassReply || m.Class == ClassOther) {
			line("attachment", shown)
			last = shown
		}
	}
	if m.Class == ClassReply || m.Class == ClassOther || m.Class == ClassAutoReply {
		fmt.Fprintf(&out, "\n%s\n", m.Text)
	}
	return out.String()
}

func describeReports(m Message, line func(name, value string)) {
	if b := m.Bounce; b != nil {
		for _, r := range b.Recipients {
			line("bounce", fmt.Sprintf("%s %s %s", r.Action, r.Status, r.Address))
		}
		line("envelope", b.EnvelopeID)
	}
	if r := m.Receipt; r != nil {
		line("receipt", r.Disposition+" "+r.Recipient)
	}
	if r := m.Report; r != nil {
		line("report", r.Type+" "+strings.Join(r.Recipients, " "))
	}
}
