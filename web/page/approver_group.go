package page

import (
	"strings"

	"orbit/internal/approval"
	"orbit/web/ui"
)

// GroupView is the form of an approver group.
type GroupView struct {
	Title string
	Form  *ui.FormView
	Group approval.Group
}

// people lists the members of a level, one a line, as the form takes them.
func (v GroupView) people(level int) string {
	var lines []string
	for _, m := range v.Group.Members {
		if m.Level == level || level == 1 && m.Level > 1 && !v.Group.ApprovalInLevels {
			lines = append(lines, m.Email)
		}
	}
	return strings.Join(lines, "\n")
}

// DeputiesView is the list of deputies with the form to add one.
type DeputiesView struct {
	Report ui.ReportView
	Form   *ui.FormView
	From   string
}

// GroupRules says a group's rules in a sentence.
func GroupRules(g approval.Group) string {
	if !g.ApprovalRequired {
		return "No approval: access at once, approvers are informed."
	}
	rules := ui.Count(g.ApprovalsRequired, "approval", "approvals")
	if g.ApprovalInLevels {
		rules += " at each level"
	}
	rules += " within " + ui.Count(g.ValidityMinutes, "minute", "minutes") + ", " + ui.Count(g.RejectionsToCancel, "rejection ends it", "rejections end it")
	if g.EmergencyAccess {
		rules += "; emergency access"
	}
	if g.LinkAlone {
		rules += "; decided by link without signing in"
	}
	if g.RelaxedReplies {
		rules += "; answers need no proof of their sender"
	}
	return rules + "."
}

// inLevels is what the switch shows now.
func (v GroupView) inLevels() bool {
	if typed, ok := v.Form.Typed["approval_in_levels"]; ok {
		return typed == "yes"
	}
	return v.Group.ApprovalInLevels
}
