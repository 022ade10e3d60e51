package page

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"orbit/internal/audit"
	"orbit/web/ui"
)

// auditObjects are what entries are about, by the name that they have in the trail.
var auditObjects = []struct{ name, label string }{
	{"smtp_account", "SMTP account"}, {"mailbox_account", "IMAP/POP3 account"}, {"inbound_message", "Received message"},
	{"credential", "Credential"},
	{"oauth_client", "OAuth registration"}, {"oauth_grant", "OAuth grant"}, {"proxy_listener", "Proxy listener"},
	{"network_connector", "Network connector"}, {"system_parameter", "System parameters"}, {"user", "User"}, {"api_token", "API token"},
	{"notification_rule", "Notification"}, {"contact", "Contact"}, {"contact_group", "Group of contacts"}, {"event_type", "Event type"},
	{"notification_text", "Notification text"}, {"delivery", "Sent message"}, {"webhook", "Webhook"}, {"job", "Job"},
	{"access_request", "Access request"}, {"approver_group", "Approver group"},
}

// AuditObjects lists the choices of the filter.
func AuditObjects() []ui.Option {
	options := []ui.Option{{Label: "All"}}
	for _, o := range auditObjects {
		options = append(options, ui.Option{Value: o.name, Label: o.label})
	}
	return options
}

// actionWords reads an action aloud: "smtp_account.changed" is "SMTP account changed".
func actionWords(action string) string {
	object, verb, found := strings.Cut(action, ".")
	if !found {
		return wordsOf(action)
	}
	for _, o := range auditObjects {
		if o.name == object {
			return o.label + " " + strings.ReplaceAll(verb, "_", " ")
		}
	}
	return wordsOf(object) + " " + strings.ReplaceAll(verb, "_", " ")
}

// wordsOf makes words of a name: "full_name" is "Full name".
func wordsOf(name string) string {
	words := strings.ReplaceAll(name, "_", " ")
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// actorKind says through which door somebody came, where that is not plain.
func actorKind(a audit.Actor) string {
	switch a.Kind {
	case audit.Token:
		return "API token"
	case audit.Command:
		return "command line"
	case audit.System:
		return "by itself"
	case audit.User:
	}
	return ""
}

// detailLine is one thing that an entry says: a value, or what it was and what it is now.
type detailLine struct {
	Label   string
	Changed bool
	Was     string
	Now     string
}

func detailLines(detail map[string]any) []detailLine {
	lines := make([]detailLine, 0, len(detail))
	for name, value := range detail {
		line := detailLine{Label: wordsOf(name), Now: valueWords(value)}
		if pair, ok := value.(map[string]any); ok {
			was, changed := pair["was"]
			now, stands := pair["now"]
			if changed || stands {
				line.Changed, line.Was, line.Now = changed, valueWords(was), valueWords(now)
			}
		}
		lines = append(lines, line)
	}
	slices.SortFunc(lines, func(a, b detailLine) int { return strings.Compare(a.Label, b.Label) })
	return lines
}

func valueWords(value any) string {
	switch v := value.(type) {
	case nil:
		return "(none)"
	case string:
		if v == "" {
			return "(blank)"
		}
		return v
	case bool:
		if v {
			return "Yes"
		}
		return "No"
	case map[string]any, []any:
		text, err := json.Marshal(v)
		if err == nil {
			return string(text)
		}
	}
	return fmt.Sprint(value)
}

// fewDetails is how many lines a table shows without being opened.
const fewDetails = 3

// shortHash is enough of a hash to compare by eye.
func shortHash(hash []byte) string {
	text := fmt.Sprintf("%x", hash)
	return text[:min(8, len(text))]
}

// verdictText says what the check of the chain has found.
func verdictText(v audit.Verdict) string {
	if v.Intact() {
		return "The chain is intact: " + ui.Count(int(v.Entries), "entry", "entries") + " checked from the first to the newest."
	}
	return fmt.Sprintf("The chain is broken at entry %d: %s. Entries before it are right. Somebody changed the database past Orbit; "+
		"keep a backup of it as it is now, and find out who had access.", v.BrokenAt, strings.TrimSuffix(v.Reason, "."))
}
