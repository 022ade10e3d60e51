package page

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"orbit/internal/notify"
	"orbit/web/ui"
)

// When a notification is sent, as the form posts it.
const (
	RuleNow     = "now"
	RuleCollect = "collect"
	RuleDaily   = "daily"
)

// RuleWhen is the choice that stored settings stand for.
func RuleWhen(r notify.RuleSettings) string {
	switch r.DigestMinutes {
	case 0:
		return RuleNow
	case notify.Daily:
		return RuleDaily
	}
	return RuleCollect
}

// RuleView is the form of a notification.
type RuleView struct {
	Title    string
	Form     *ui.FormView
	Values   notify.RuleSettings
	When     string
	Quiet    bool
	Types    []ui.CheckGroup
	Contacts []ui.Check
	More     int // contacts that only the search shows
	Groups   ui.CheckGroup
	Webhooks ui.CheckGroup
	Accounts []ui.Option
	Choose   string // answers the search among contacts
}

func (v RuleView) minutes() string {
	if v.When == RuleCollect && v.Values.DigestMinutes > 0 {
		return strconv.Itoa(v.Values.DigestMinutes)
	}
	return "15"
}

func (v RuleView) whenOptions() []ui.Option {
	return []ui.Option{
		{Value: RuleNow, Label: "Immediately", Help: "Each event is a message of its own."},
		{Value: RuleCollect, Label: "Every few minutes", Help: "What happens meanwhile comes in one message."},
		{Value: RuleDaily, Label: "Once a day", Help: "In one message, at a time of the contact's zone."},
	}
}

// what names the first events that are chosen: "Password viewed and 3 other events".
func (v RuleView) what() string {
	first, n := "", 0
	for _, g := range v.Types {
		for _, c := range g.Checks {
			if !c.Checked {
				continue
			}
			if n++; first == "" {
				first = c.Label
			}
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return first
	}
	return first + " and " + ui.Count(n-1, "other event", "other events")
}

// whom names those who are told.
func (v RuleView) whom() string {
	var parts []string
	names := labels(v.Contacts)
	switch {
	case len(names) > 3:
		parts = append(parts, strings.Join(names[:2], ", ")+" and "+strconv.Itoa(len(names)-2)+" other contacts")
	case len(names) > 0:
		parts = append(parts, strings.Join(names, ", "))
	}
	if groups := labels(v.Groups.Checks); len(groups) > 0 {
		parts = append(parts, "the members of "+strings.Join(groups, ", "))
	}
	return strings.Join(parts, ", and ")
}

func labels(checks []ui.Check) []string {
	var names []string
	for _, c := range checks {
		if c.Checked {
			names = append(names, c.Label)
		}
	}
	return names
}

// ways names the channels.
func (v RuleView) ways() string {
	var ways []string
	for _, w := range []struct {
		on   bool
		word string
	}{{v.Values.ByEmail, "by e-mail"}, {v.Values.OnScreen, "on screen"}} {
		if w.on {
			ways = append(ways, w.word)
		}
	}
	return strings.Join(ways, " and ")
}

// sentences say what the notification does, and what it lacks.
func (v RuleView) sentences() (does, lacks []string) {
	what, whom, ways := v.what(), v.whom(), v.ways()
	if what == "" {
		lacks = append(lacks, "No event is chosen yet.")
	} else {
		does = append(does, "When it happens: "+what+".")
	}
	switch {
	case ways != "" && whom == "":
		lacks = append(lacks, "Nobody is chosen to be told "+ways+".")
	case ways != "":
		does = append(does, "Told "+ways+": "+whom+".")
	case !v.Values.ByWebhook:
		lacks = append(lacks, "No channel is chosen.")
	}
	if hooks := labels(v.Webhooks.Checks); v.Values.ByWebhook && len(hooks) > 0 {
		does = append(does, "Told by webhook: "+strings.Join(hooks, ", ")+".")
	} else if v.Values.ByWebhook {
		lacks = append(lacks, "No webhook is chosen.")
	}
	if v.Values.OnlyContactsWithAccess {
		does = append(does, "Of these only who has access to the credential or device, as the event says.")
	}
	return append(does, v.time()), lacks
}

func (v RuleView) time() string {
	said := "Immediately"
	switch v.When {
	case RuleCollect:
		said = "Collected for " + v.minutes() + " minutes"
	case RuleDaily:
		said = "Collected and told daily at " + or(v.Values.DigestAt, "08:00")
	}
	if v.Quiet && v.Values.QuietFrom != "" && v.Values.QuietUntil != "" {
		said += ", but not from " + v.Values.QuietFrom + " to " + v.Values.QuietUntil + " in the contact's zone"
	}
	return said + "."
}

// findContacts are the attributes of a search among contacts: what it finds takes the place of the boxes that are not
// checked.
func findContacts(address string) templ.Attributes {
	return templ.Attributes{
		"hx-get": address, "hx-trigger": "input changed delay:250ms, search", "hx-target": "#contact-boxes", "hx-include": "#contact-boxes", "hx-sync": "this:replace",
	}
}

// channelWords lists the channels of a rule for the report.
func channelWords(r notify.Rule) string {
	var words []string
	for _, c := range []struct {
		on   bool
		word string
	}{{r.ByEmail, "E-mail"}, {r.OnScreen, "Screen"}, {r.ByWebhook, "Webhook"}} {
		if c.on {
			words = append(words, c.word)
		}
	}
	return strings.Join(words, ", ")
}
