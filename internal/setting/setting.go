// Package setting keeps the system parameters: typed, with defaults, in one row of system_parameter.
//
// What was never saved has its default, and a parameter added by a later version has its default in an
// older row. Reading is for everyone and everywhere, so it comes from memory that is a second old at most.
package setting

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"orbit/internal/problem"
)

// Application is System Parameters > Application.
type Application struct {
	DefaultConnectorID         int64  `json:"default_network_connector_id"` // 0: connections leave directly
	FooterText                 string `json:"footer_text"`
	ReportRows                 int    `json:"report_rows"`
	SentRetentionDays          int    `json:"sent_retention_days"`
	ReceivedRetentionDays      int    `json:"received_retention_days"`
	ScreenRetentionDays        int    `json:"screen_retention_days"`
	SenderMaxConnections       int    `json:"sender_max_connections"`         // where neither account nor provider names a limit
	SenderMaxMessagesPerMinute int    `json:"sender_max_messages_per_minute"` // likewise; 0: no limit

	Version   int       `json:"-"` // 0: never saved
	ChangedAt time.Time `json:"-"`
	ChangedBy string    `json:"-"`
}

// Default is what holds until somebody saves something else.
func Default() Application {
	return Application{
		ReportRows:            30,
		SentRetentionDays:     180,
		ReceivedRetentionDays: 180,
		ScreenRetentionDays:   30,
		SenderMaxConnections:  4,
	}
}

// maxFooter is the longest footer, in characters; it goes into every mail.
const maxFooter = 4000

// number is a parameter that is a number between two others.
type number struct {
	name, label string
	min, max    int
	of          func(*Application) *int
}

var numbers = []number{
	{"report_rows", "Rows on a report page", 5, 500, func(a *Application) *int { return &a.ReportRows }},
	{"sent_retention_days", "Keep sent e-mails (days)", 1, 3650, func(a *Application) *int { return &a.SentRetentionDays }},
	{"received_retention_days", "Keep received e-mails (days)", 1, 3650, func(a *Application) *int { return &a.ReceivedRetentionDays }},
	{"screen_retention_days", "Keep screen notifications (days)", 1, 3650, func(a *Application) *int { return &a.ScreenRetentionDays }},
	{"sender_max_connections", "Connections of a sender at a time", 1, 1000, func(a *Application) *int { return &a.SenderMaxConnections }},
	{"sender_max_messages_per_minute", "Messages of a sender per minute", 0, 100_000, func(a *Application) *int { return &a.SenderMaxMessagesPerMinute }},
}

// normal writes line ends in one way and drops blank lines around the footer.
func (a Application) normal() Application {
	a.FooterText = strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(a.FooterText))
	return a
}

// Validate lists everything that is wrong with the parameters, as far as no database is needed to know it.
func (a Application) Validate() problem.Invalid {
	var wrong problem.Invalid
	if a.DefaultConnectorID < 0 {
		wrong.Add("default_network_connector_id", unknownConnector)
	}
	switch {
	case utf8.RuneCountInString(a.FooterText) > maxFooter:
		wrong.Add("footer_text", "The footer is longer than %d characters; shorten it.", maxFooter)
	case !utf8.ValidString(a.FooterText) || strings.ContainsFunc(a.FooterText, unprintable):
		wrong.Add("footer_text", "The footer contains a control character; remove it.")
	}
	for _, n := range numbers {
		if value := *n.of(&a); value < n.min || value > n.max {
			wrong.Add(n.name, "Enter a number from %d to %d.", n.min, n.max)
		}
	}
	return wrong
}

const unknownConnector = "This network connector does not exist or is not active; choose another one, or direct."

func unprintable(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

// conflict shows where the stored parameters differ from what was typed.
func conflict(stored, typed Application) error {
	c := &problem.Conflict{What: "the application parameters", Who: stored.ChangedBy}
	if c.Who == "" {
		c.Who = "somebody else"
	}
	add := func(name, label, is, yours string) {
		if is != yours {
			c.Changed = append(c.Changed, problem.Change{Field: name, Label: label, Stored: is, Yours: yours})
		}
	}
	add("default_network_connector_id", "Default network connector", connectorText(stored), connectorText(typed))
	add("footer_text", "Footer text", stored.FooterText, typed.FooterText)
	for _, n := range numbers {
		add(n.name, n.label, strconv.Itoa(*n.of(&stored)), strconv.Itoa(*n.of(&typed)))
	}
	return c
}

func connectorText(a Application) string {
	if a.DefaultConnectorID == 0 {
		return "direct"
	}
	return fmt.Sprint(a.DefaultConnectorID)
}
