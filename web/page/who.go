package page

import (
	"slices"
	"strings"

	"orbit/internal/notify"
	"orbit/web/ui"
)

// groups are the event types by category, for the drop-down.
func (v WhoView) groups() []ui.CheckGroup {
	var groups []ui.CheckGroup
	for _, t := range v.Types {
		i := slices.IndexFunc(groups, func(g ui.CheckGroup) bool { return g.Label == string(t.Category) })
		if i < 0 {
			i = len(groups)
			groups = append(groups, ui.CheckGroup{Label: string(t.Category)})
		}
		groups[i].Checks = append(groups[i].Checks, ui.Check{Value: t.Name, Label: t.Title, Checked: t.Name == v.Type.Name})
	}
	return groups
}

// sorted has those who are told first.
func (v WhoView) sorted() []notify.Told {
	told := slices.Clone(v.Told)
	slices.SortStableFunc(told, func(a, b notify.Told) int {
		switch {
		case a.Told == b.Told:
			return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		case a.Told:
			return -1
		}
		return 1
	})
	return told
}

func (v WhoView) headline() string {
	n := 0
	for _, t := range v.Told {
		if t.Told {
			n++
		}
	}
	if n == 0 {
		return "Nobody would be told"
	}
	return ui.Count(n, "notification", "notifications") + " would leave"
}

// fieldHelp is what a field of an event means and how it is written.
func fieldHelp(f notify.Field) string {
	how := ""
	switch f.Kind {
	case notify.TimeField:
		how = "A time such as 2026-11-23T12:40:00Z."
	case notify.ListField:
		how = "Several, with commas between."
	case notify.NumberField:
		how = "A number."
	case notify.TextField:
	}
	return strings.TrimSpace(strings.TrimSuffix(f.Doc, ".") + ". " + how)
}

// ChannelWord names a channel.
func ChannelWord(c notify.Channel) string {
	switch c {
	case notify.Email:
		return "E-mail"
	case notify.Screen:
		return "Screen"
	case notify.ByWebhook:
	}
	return "Webhook"
}

func channelNoun(c notify.Channel) string { return strings.ToLower(ChannelWord(c)) }

// textWords name the words that somebody would read.
func textWords(t notify.Told) string {
	words := TextTypeName(t.TextType) + ", " + LanguageName(t.Language)
	if t.OwnText {
		return words + ", own"
	}
	return words
}
