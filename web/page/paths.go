package page

import (
	"slices"
	"strconv"
	"strings"

	"orbit/internal/account"
	"orbit/internal/connector"
	"orbit/internal/mail/ladder"
	"orbit/web/ui"
)

// PathsView compares the ways to the server of an account.
type PathsView struct {
	Visit account.Visit
	Back  string           // the report of the accounts
	Here  string           // this page; the comparison is posted to it
	Paths []connector.Path // nil: not compared yet
	Now   string           // how the account's connections leave: "directly", "through agent-1"

	Running bool   // the comparison begins with the events
	Refused string // why there is none
}

// ended reports whether all ways were gone.
func (v PathsView) ended() bool {
	return v.Paths != nil && !slices.ContainsFunc(v.Paths, func(p connector.Path) bool { return p.Running })
}

// Title of the page.
func (v PathsView) Title() string { return "Compare paths - Account " + v.Visit.Name }

// verdict is the outcome in a sentence.
func (v PathsView) verdict() ui.FlashView {
	working := connector.Working(v.Paths)
	if len(working) == 0 {
		return ui.FlashView{Tone: ui.Bad, Text: "No way leads to " + v.Visit.Server + ". What stands in the way of each is said below."}
	}
	names := make([]string, len(working))
	for i, p := range working {
		names[i] = pathWords(p) + " (" + ui.Took(p.Duration) + ")"
	}
	text := "Works " + strings.Join(names, ", ") + ". The account connects " + v.Now
	for _, p := range working {
		if pathWords(p) == v.Now {
			return ui.FlashView{Tone: ui.Good, Text: text + "."}
		}
	}
	return ui.FlashView{Tone: ui.Warning, Text: text + ", which does not work: choose another way at the account."}
}

// pathWords name a way in a sentence.
func pathWords(p connector.Path) string {
	if p.ConnectorID == 0 {
		return "directly"
	}
	return "through " + p.Name
}

// pathName names a way in a list.
func pathName(p connector.Path) string {
	if p.ConnectorID == 0 {
		return "Directly"
	}
	return p.Name
}

func pathLadder(p connector.Path) ui.LadderView {
	return ui.LadderView{ID: "path-" + strconv.FormatInt(p.ConnectorID, 10), Steps: p.Steps, Running: p.Running}
}

// pathBecause is why a way does not lead there.
func pathBecause(p connector.Path) string {
	if p.Fault == nil {
		return ""
	}
	return p.Fault.Cause
}

// untold reports whether no step shows the fault: some ways end before the first one.
func untold(p connector.Path) *ladder.Fault {
	if p.FailedAt == "" {
		return p.Fault
	}
	return nil
}
