package reply

import (
	"strings"

	"orbit/internal/mail/reply/parts"
)

// cause says why a message is not a person's, for people, and of which kind it is.
type cause struct {
	kind   causeKind
	reason string
}

type causeKind int

const (
	person    causeKind = iota
	answering           // a program that answers messages
	automated           // a program that sends messages
	listed              // a person, by way of a mailing list: who wrote it is uncertain
	echo                // Orbit itself
)

// automatic finds the strongest sign that the message is not a person's (RFC 3834 and what is seen in practice).
func (rd *reading) automatic() cause {
	for _, sign := range []func() cause{rd.fromOrbit, rd.autoSubmitted, rd.autoHeaders, rd.absenceSubject, rd.precedence, rd.suppressed, rd.sentByMachine, rd.mailingList} {
		if c := sign(); c.kind != person {
			return c
		}
	}
	return cause{}
}

// fromOrbit keeps Orbit from talking to itself.
func (rd *reading) fromOrbit() cause {
	m := &rd.message
	if rd.options.own(m.From.Address) || rd.options.sent(m.MessageID) {
		return cause{echo, "Orbit sent it itself."}
	}
	return cause{}
}

// autoSubmitted reads RFC 3834 5. Anything but "no" is a program.
func (rd *reading) autoSubmitted() cause {
	value, _, _ := strings.Cut(rd.header.Get("Auto-Submitted"), ";")
	value, _, _ = strings.Cut(strings.ToLower(value), "(")
	switch value = strings.TrimSpace(value); {
	case value == "" || value == "no":
		return cause{}
	case strings.HasPrefix(value, "auto-replied"):
		return cause{answering, "It says that it answers automatically (Auto-Submitted)."}
	case rd.isAbsenceSubject():
		return cause{answering, "It says that it was sent automatically (Auto-Submitted)."}
	}
	return cause{automated, "It says that it was sent automatically (Auto-Submitted)."}
}

// autoHeaders looks for the fields by which programs said it before RFC 3834, and since.
func (rd *reading) autoHeaders() cause {
	for _, field := range rd.header {
		kind, known := autoField(field.Name)
		if known && !denied(field.Value) {
			return cause{kind, "It says that it was sent automatically (" + field.Name + ")."}
		}
	}
	if strings.EqualFold(rd.header.Get("Delivered-To"), "autoresponder") || containsAny(strings.ToLower(rd.header.Get("X-POST-MessageClass")), []string{"autoresponder"}) {
		return cause{answering, "An autoresponder sent it."}
	}
	return cause{}
}

// autoField looks a field up without making a string of its name in lower case: every message has a dozen.
func autoField(name string) (causeKind, bool) {
	var room [40]byte // the longest has 38
	if len(name) > len(room) {
		return person, false
	}
	lower := append(room[:0], name...)
	for i, c := range lower {
		if c >= 'A' && c <= 'Z' {
			lower[i] |= 0x20
		}
	}
	kind, known := autoFields[string(lower)]
	return kind, known
}

func denied(value string) bool {
	switch strings.ToLower(value) {
	case "no", "false", "0", "none":
		return true
	}
	return false
}

func (rd *reading) absenceSubject() cause {
	if rd.isAbsenceSubject() {
		return cause{answering, "Its subject is that of an automatic reply."}
	}
	return cause{}
}

func (rd *reading) isAbsenceSubject() bool {
	return hasAnyPrefix(strings.ToLower(strings.TrimLeft(rd.message.Subject, " [*(")), absenceSubjects)
}

func (rd *reading) precedence() cause {
	for _, name := range []string{"Precedence", "X-Precedence", "Preference"} {
		switch value := strings.ToLower(rd.header.Get(name)); value {
		case "auto_reply", "auto-reply", "autoreply":
			return cause{answering, "It says that it answers automatically (" + name + ")."}
		case "bulk", "junk":
			return cause{automated, "It says that it is bulk mail (" + name + ")."}
		}
	}
	return cause{}
}

// suppressed reads what Exchange and programs after it say in order not to be answered by programs.
func (rd *reading) suppressed() cause {
	value := strings.ToLower(rd.header.Get("X-Auto-Response-Suppress"))
	if containsAny(value, []string{"all", "oof", "autoreply"}) {
		return cause{automated, "It asks not to be answered automatically (X-Auto-Response-Suppress)."}
	}
	return cause{}
}

// sentByMachine knows programs by their names and by the null return path.
func (rd *reading) sentByMachine() cause {
	m := &rd.message
	switch {
	case rd.isReport:
		return cause{automated, "It is a report (multipart/report)."}
	case m.nullPath:
		return cause{automated, "It has an empty return path."}
	case isMachine(m.From.Address), isMachine(m.ReturnPath):
		return cause{automated, "It comes from an address that nobody reads."}
	case m.Calendar == "REPLY":
		return cause{automated, "It is an answer to an invitation."}
	}
	return cause{}
}

func isMachine(address string) bool {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	local = separators.Replace(local)
	return machineNames[local] || hasAnyPrefix(local, machineStarts)
}

var separators = strings.NewReplacer("-", "", "_", "", ".", "")

func (rd *reading) mailingList() cause {
	if isList(rd.header) {
		return cause{listed, "It came by way of a mailing list."}
	}
	return cause{}
}

func isList(h parts.Header) bool {
	return h.Has("List-Id") || h.Has("List-Post") || h.Has("List-Unsubscribe") || strings.EqualFold(h.Get("Precedence"), "list")
}
