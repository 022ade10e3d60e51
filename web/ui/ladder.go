package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/mail/ladder"
)

// LadderView is a visit to a mail server, step by step, running or finished.
type LadderView struct {
	ID      string // of the element; "ladder" when empty
	Steps   []ladder.Step
	Running bool
	Stream  string          // address of the server-sent events while it runs: events "ladder" and "done"
	Final   *FlashView      // the last line in words: "Accepted by mail.example.com: 250 2.0.0 queued as 4F2"
	Actions templ.Component // buttons under it: Try again, Download transcript
}

func (v LadderView) id() string {
	if v.ID == "" {
		return "ladder"
	}
	return v.ID
}

// state is a step's colour, icon and word.
type state struct {
	class string
	icon  string
	word  string
}

func (v LadderView) state(s ladder.Step) state {
	switch {
	case s.Fault != nil:
		return state{"failed", "x", "failed"}
	case !s.Done && v.Running:
		return state{"running", "loader-2", "running"}
	case !s.Done:
		return state{"skipped", "circle-minus", "not finished"}
	case len(s.Warnings) > 0:
		return state{"warned", "alert-triangle", "done, with a warning"}
	}
	return state{"done", "check", "done"}
}

// transcript is the whole conversation as text, for reading and for the clipboard.
func (v LadderView) transcript() string {
	var text strings.Builder
	for _, step := range v.Steps {
		for _, line := range step.Transcript {
			mark := "*"
			switch line.From {
			case "orbit":
				mark = "C:"
			case "server":
				mark = "S:"
			}
			fmt.Fprintf(&text, "%s %s\n", mark, line.Text)
		}
	}
	return text.String()
}

// Took writes a duration as people compare it: "43 ms", "1.2 s".
func Took(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "<1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// paragraphs splits a remedy. The error dictionary writes commands on lines of their own; sentences end like sentences.
func paragraphs(remedy string) []paragraph {
	var all []paragraph
	for line := range strings.SplitSeq(remedy, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, paragraph{text: line, command: !strings.ContainsAny(line[len(line)-1:], ".:?")})
		}
	}
	return all
}

type paragraph struct {
	text    string
	command bool
}

// whoActs says in words who must act.
func whoActs(who ladder.Who) string {
	switch who {
	case ladder.You:
		return "You"
	case ladder.MailboxOwner:
		return "The owner of the mailbox"
	case ladder.Nobody:
		return "Nobody: it heals by itself"
	case ladder.Microsoft365, ladder.GoogleAdmin, ladder.NetworkTeam, ladder.ServerAdmin:
		return "The " + string(who)
	}
	return string(who)
}
