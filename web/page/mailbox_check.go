package page

import (
	"orbit/internal/account"
	"orbit/internal/inbox"
	"orbit/web/ui"
)

// CheckView is what Check now found.
type CheckView struct {
	Mailbox account.Mailbox
	Visit   inbox.Visit
}

func (v CheckView) sentence() string {
	switch n := v.Visit; {
	case n.Fault != nil && n.Stored > 0:
		return "The look into the mailbox ended early. " + ui.Count(n.Stored, "new message is", "new messages are") + " stored."
	case n.Fault != nil:
		return "The mailbox could not be read."
	case n.Stored > 0:
		return ui.Count(n.Stored, "new message is", "new messages are") + " stored."
	}
	return "Nothing new."
}

func (v CheckView) tone() ui.Tone {
	if v.Visit.Fault != nil || v.Visit.Failed > 0 {
		return ui.Bad
	}
	return ui.Good
}

func (v CheckView) facts() []ui.Fact {
	var facts []ui.Fact
	add := func(label string, n int) {
		if n > 0 {
			facts = append(facts, ui.Fact{Label: label, Value: ui.Number(n)})
		}
	}
	add("Not seen before", v.Visit.Found)
	add("Stored", v.Visit.Stored)
	add("Known already", v.Visit.Known)
	add("Older than the account", v.Visit.TooOld)
	add("Deleted there", v.Visit.Deleted)
	add("Could not be read", v.Visit.Failed)
	return append(facts, ui.Fact{Label: "Took", Value: ui.Took(v.Visit.EndedAt.Sub(v.Visit.StartedAt))})
}
