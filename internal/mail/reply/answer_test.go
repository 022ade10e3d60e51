package reply

import (
	"bytes"
	"testing"

	"orbit/internal/mail/reply/corpus"
)

func TestDecisionIsOneWordAlone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Answer{
		"APPROVE": Approve, "approve": Approve, "Approve.": Approve, "APPROVE!!": Approve, "\n\n  APPROVE \nnow": Approve, "\"APPROVE\"": Approve, "*APPROVE*": Approve,
		"**APPROVE.**": Approve, "“APPROVE”": Approve, "«APPROVE»": Approve, "[APPROVE]": Approve, "`approve`": Approve, "\ufeffAPPROVE\u200b": Approve, "APROVAR": Approve, "aprobar": Approve, "¡APROBAR!": Approve,
		"REJECT": Reject, "DISAPPROVE": Reject, "rejeitar": Reject, "Rechazar": Reject, "reject\nAPPROVE": Reject, "REJECT !": Reject,
		"": None, "APPROVED": None, "APPROVE?": None, "APPROVE,": None, "APPROVE...": None, "APPROVE..": None, "APPROVE;": None, "APPROVE:": None, "APPROVE -": None, "- APPROVE": None, "~APPROVE~": None, "#APPROVE": None, "> APPROVE": None,
		"APPROVE REJECT": None, "APPROVE / REJECT": None, "APPROVE thanks": None, "do not\napprove": None, "not approve": None, "APP ROVE": None, "A P P R O V E": None, "APP\u200bROVE": None, "\u202eAPPROVE": None,
		"АPPROVE": None, "ＡＰＰＲＯＶＥ": None, "yes": None, "ok": None, "👍": None, "APPROVE 👍": None, "(do not) APPROVE": None, "DISAPPROVE?": None, "aprobado": None, "1. APPROVE": None, "APPROVE\u2028REJECT": None,
	} {
		if got := Decision(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestQuotedWordsAreNeverAnswers sends every program's reply in every language to a message that consists of
// nothing but the words, with an empty or an undecided text of the writer.
func TestQuotedWordsAreNeverAnswers(t *testing.T) {
	t.Parallel()
	words := []string{"APPROVE", "", "APROVAR", "aprobar", "", "Please answer this mail with a first line that consists of the word", "APPROVE"}
	for _, text := range []string{"", "Who is this?", "See below."} {
		messages, err := corpus.Changed(func(l *corpus.Language) {
			l.Notice, l.Answers = words, []corpus.Answer{{Text: text}}
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			got, err := Read(bytes.NewReader(m.Raw), sender)
			if err != nil || got.Answer != None || got.Class == ClassReply && text != "" && got.Text != text {
				t.Errorf("%s with %q: answer %q, text %q (%v)", m.Name, text, got.Answer, got.Text, err)
			}
		}
	}
}
