package reply

import (
	"strings"

	"orbit/internal/mail/reply/quote"
)

// Answer is the decision that a reply makes.
type Answer string

// The answers.
const (
	None    Answer = ""
	Approve Answer = "approve"
	Reject  Answer = "reject"
)

// answers are the documented words. "Approved" is not one of them: people write it about what others did.
var answers = map[string]Answer{
	"approve": Approve, "aprovar": Approve, "aprobar": Approve,
	"reject": Reject, "disapprove": Reject, "rejeitar": Reject, "rechazar": Reject,
}

// Decision returns the answer in the first line of new text: one of the words alone. Quotes and emphasis may
// stand around it and a full stop or exclamation marks behind it. A question mark, a comma, dots or any other
// word make it something to be read by people.
func Decision(text string) Answer {
	line, _, _ := strings.Cut(quote.Trim(text), "\n")
	word := strings.Trim(quote.Trim(line), emphasis)
	if stop := strings.TrimRight(word, "!"); stop != word {
		word = stop
	} else {
		word = strings.TrimSuffix(word, ".")
	}
	return answers[strings.ToLower(strings.Trim(word, emphasis))]
}

// emphasis is what instructions put around a word and programs around bold text.
const emphasis = "¡\"'*_“”„‘’«»‹›[]()` "

// answer takes the decision of a person's reply. It must answer the sent message itself: "approve" may be said to
// a colleague in the same thread, or above a message that is passed on. If the text came in two forms, both must
// say the same: nobody knows which one the writer saw.
func (rd *reading) answer() Answer {
	decided := Decision(rd.message.Text)
	switch {
	case !rd.direct, hasAnyPrefix(strings.ToLower(rd.message.Subject), forwardSubjects):
		return None
	case decided != None && rd.body.hasBoth() && Decision(rd.body.textOfHTML()) != decided:
		return None
	}
	return decided
}

// forwardSubjects begin the subject of a message that is passed on.
var forwardSubjects = []string{"fwd:", "fw:", "fwd :", "enc:", "rv:", "wg:", "tr:", "tr :", "i:", "reenviado:", "encaminhada:"}
