package page

import (
	"net"
	"strconv"
	"strings"

	"orbit/internal/oauth/plan"
	"orbit/web/ui"
)

func plannedListener(l plan.Listener) []ui.Fact {
	protection := "TLS"
	if l.STARTTLS {
		protection = "STARTTLS"
	}
	facts := []ui.Fact{
		{Label: "Protocol", Value: strings.ToUpper(string(l.Protocol))},
		{Label: "Local port", Value: net.JoinHostPort(l.LocalAddress, strconv.Itoa(l.LocalPort)), Mono: true},
		{Label: "Mail server", Value: net.JoinHostPort(l.ServerAddress, strconv.Itoa(l.ServerPort)), Mono: true},
		{Label: "Protection", Value: protection},
	}
	if l.LocalCertificate != "" {
		facts = append(facts, ui.Fact{Label: "Local certificate", Value: l.LocalCertificate, Mono: true})
	}
	return facts
}

// forPages takes out of a sentence what only the command line has.
func forPages(text string) string {
	return strings.ReplaceAll(text, "Use --force to replace it; what", "What")
}
