package reply

import "strings"

// classify asks the rules in the order of their certainty: what programs wrote for programs, then what they
// wrote for people, then who wrote it.
func (rd *reading) classify() {
	m := &rd.message
	why := rd.automatic()
	m.Automatic = why.reason
	switch {
	case rd.classifyReport():
		m.Class = ClassReport
	case rd.classifyReceipt():
		m.Class = ClassReceipt
	case rd.classifyBounce():
		m.Class = ClassBounce
	default:
		rd.relate()
		m.Text = rd.newText()
		rd.classifyLetter(why)
	}
	if m.Class != ClassOther && m.Text == "" {
		m.Text = rd.newText()
	}
	if m.Class != ClassReply && m.Class != ClassOther && m.Automatic == "" {
		m.Automatic = "A program wrote it."
	}
	if m.Class == ClassReply && m.Automatic == "" {
		m.Answer = rd.answer()
	}
}

// classifyLetter judges a message that is no report of any kind.
func (rd *reading) classifyLetter(why cause) {
	m := &rd.message
	switch {
	case m.Automatic == "" && rd.readsLikeAbsence():
		m.Class, m.Automatic = ClassAutoReply, "It reads like an out-of-office note."
	case why.kind == answering, why.kind == automated && (m.related() || rd.isAnswer()):
		m.Class = ClassAutoReply
	case why.kind == automated || why.kind == echo:
		m.Class = ClassOther
	case m.related():
		m.Class = ClassReply
	default:
		m.Class = ClassOther
	}
}

// newText returns what the writer wrote anew. Of a message that answers none, its beginning may be enough.
func (rd *reading) newText() string {
	m := &rd.message
	if n := rd.options.Excerpt; n > 0 && !m.related() && !rd.isAnswer() && len(m.References) == 0 {
		return rd.body.excerpt(n)
	}
	return rd.body.text()
}

// isAnswer reports whether the message says that it answers another.
func (rd *reading) isAnswer() bool { return len(rd.message.InReplyTo) > 0 }

// readsLikeAbsence finds the absence notes that rules of mail programs send without any mark.
func (rd *reading) readsLikeAbsence() bool {
	m := &rd.message
	if !rd.isAnswer() && len(m.References) == 0 || Decision(m.Text) != None {
		return false
	}
	start := strings.ToLower(m.Text)
	if len(start) > 300 {
		start = start[:300]
	}
	return containsAny(start, absencePhrases) || saysAbsent(start)
}

// absenceReach is how far behind "I am" the words for away may begin.
const absenceReach = 40

// saysAbsent finds "Ich bin vom 3.3. bis 10.3. nicht im Büro".
func saysAbsent(text string) bool {
	for _, a := range absences {
		for _, who := range a.who {
			for rest := text; ; {
				_, after, found := strings.Cut(rest, who)
				if !found {
					break
				}
				if startsWithin(after, a.away, absenceReach) {
					return true
				}
				rest = after
			}
		}
	}
	return false
}

// startsWithin reports whether one of the phrases begins among the first bytes of the text, before somebody else is
// spoken of: "I am for it; Tom is on vacation".
func startsWithin(text string, phrases []string, reach int) bool {
	for _, other := range otherSubjects {
		text, _, _ = strings.Cut(text, other)
	}
	for _, p := range phrases {
		if at := strings.Index(text, p); at >= 0 && at <= reach {
			return true
		}
	}
	return false
}

func containsAny(text string, phrases []string) bool {
	for _, p := range phrases {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

func hasAnyPrefix(text string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}
