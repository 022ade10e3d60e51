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
	return containsAny(start, absencePhrases)
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
