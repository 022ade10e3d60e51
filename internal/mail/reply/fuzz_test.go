package reply

import (
	"bytes"
	"testing"
)

// FuzzRead: whatever arrives, it ends with a class, and an answer stands only where the rules allow one.
func FuzzRead(f *testing.F) {
	for _, file := range readCorpus(f) {
		if len(file.raw) < 16<<10 {
			f.Add(file.raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Read(bytes.NewReader(raw), sender)
		if err != nil {
			t.Fatal(err)
		}
		switch m.Class {
		case ClassReply:
			if m.Original == "" && m.Token == "" {
				t.Error("a reply to nothing")
			}
		case ClassBounce, ClassReceipt, ClassReport, ClassAutoReply:
			if m.Automatic == "" {
				t.Errorf("a person's %s", m.Class)
			}
		case ClassOther:
		default:
			t.Errorf("class %q", m.Class)
		}
		if m.Answer != None && (m.Class != ClassReply || m.Automatic != "" || Decision(m.Text) != m.Answer) {
			t.Errorf("answer %q of a %s, %q, text %q", m.Answer, m.Class, m.Automatic, m.Text)
		}
		if (m.Bounce != nil) != (m.Class == ClassBounce) || (m.Receipt != nil) != (m.Class == ClassReceipt) || (m.Report != nil) != (m.Class == ClassReport) {
			t.Errorf("a %s with the wrong details", m.Class)
		}
	})
}
