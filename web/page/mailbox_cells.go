package page

import (
	"orbit/internal/inbox"
	"orbit/web/ui"
)

func howWatched(h inbox.Health) string {
	if h.Idle {
		return "at once (IDLE)"
	}
	return "once a minute"
}

// MailboxStateWord is the word for a state.
func MailboxStateWord(s inbox.State) string {
	switch s {
	case inbox.Watching:
		return "Watching"
	case inbox.Checking:
		return "Checking"
	case inbox.Failing:
		return "Failing"
	case inbox.Unowned:
		return "Starting"
	case inbox.Manual:
		return "By hand"
	case inbox.Disabled:
	}
	return "Disabled"
}

func stateTone(s inbox.State) ui.Tone {
	switch s {
	case inbox.Watching:
		return ui.Good
	case inbox.Checking, inbox.Unowned:
		return ui.Notice
	case inbox.Failing:
		return ui.Bad
	case inbox.Manual, inbox.Disabled:
	}
	return ui.Neutral
}

// ReceivedWords is how many messages Orbit keeps: "12", or "10,000+" where the counting ends.
func ReceivedWords(h inbox.Health) string {
	if h.StoredMore {
		return ui.Number(h.Stored) + "+"
	}
	return ui.Number(h.Stored)
}
