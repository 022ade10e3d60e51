package approval

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"orbit/internal/problem"
)

// GroupSettings is what a person sets on an approver group: who decides, and by which rules.
type GroupSettings struct {
	Name                 string `db:"name" json:"name" form:"name" label:"Name" doc:"Unique"`
	Active               bool   `db:"active" json:"active" form:"active" label:"Active" doc:"No: requests to this group are refused"`
	ApprovalRequired     bool   `db:"approval_required" json:"approval_required" form:"approval_required" label:"Approval required" doc:"No: access at once, the approvers are informed"`
	ApprovalInLevels     bool   `db:"approval_in_levels" json:"approval_in_levels" form:"approval_in_levels" label:"Approval in levels" doc:"A level is asked when the one before is satisfied"`
	ApprovalsRequired    int    `db:"approvals_required" json:"approvals_required" form:"approvals_required" label:"Approvals required" doc:"Of each level; without levels: in all"`
	RejectionsToCancel   int    `db:"rejections_to_cancel" json:"rejections_to_cancel" form:"rejections_to_cancel" label:"Rejections required to cancel" doc:"Of a level; without levels: in all"`
	EmergencyAccess      bool   `db:"emergency_access" json:"emergency_access" form:"emergency_access" label:"Emergency access" doc:"A request marked as emergency is granted at once, all approvers are informed"`
	GovernanceIDRequired bool   `db:"governance_id_required" json:"governance_id_required" form:"governance_id_required" label:"Governance ID required" doc:"A request must name its ticket or change"`
	AlwaysAddManager     bool   `db:"always_add_manager" json:"always_add_manager" form:"always_add_manager" label:"Always add the requester's manager" doc:"When a request names the manager"`
	ValidityMinutes      int    `db:"validity_minutes" json:"validity_minutes" form:"validity_minutes" label:"Approval validity (minutes)" doc:"How long a request can be decided"`
	ApproverMayShorten   bool   `db:"approver_may_shorten" json:"approver_may_shorten" form:"approver_may_shorten" label:"Approver may shorten the access" doc:"Never lengthen it"`
	LinkAlone            bool   `db:"link_alone" json:"link_alone" form:"link_alone" label:"Decide by link without signing in" doc:"Whoever holds the mail decides"`
	RelaxedReplies       bool   `db:"relaxed_replies" json:"relaxed_replies" form:"relaxed_replies" label:"Accept answers whose sender is not proven" doc:"Without it a DMARC pass of the configured server is needed"`
	RemindAfterMinutes   int    `db:"remind_after_minutes" json:"remind_after_minutes,omitempty" form:"remind_after_minutes" label:"Remind after (minutes)" doc:"0: never"`
	EscalateAfterMinutes int    `db:"escalate_after_minutes" json:"escalate_after_minutes,omitempty" form:"escalate_after_minutes" label:"Escalate after (minutes)" doc:"0: only when an address bounces"`
}

// Group is a stored approver group.
type Group struct {
	ID int64 `db:"id" json:"id"`
	GroupSettings
	Members   []Member  `db:"-" json:"members"`
	CreatedAt time.Time `db:"created_at" json:"created_at"`
	CreatedBy string    `db:"created_by" json:"created_by,omitempty"`
	ChangedAt time.Time `db:"changed_at" json:"changed_at"`
	ChangedBy string    `db:"changed_by" json:"changed_by,omitempty"`
	Version   int       `db:"version" json:"version"`
}

// Member is a user in a group.
type Member struct {
	GroupID int64  `db:"approver_group_id" json:"-"`
	UserID  int64  `db:"user_id" json:"user_id"`
	Name    string `db:"name" json:"name,omitempty"`
	Email   string `db:"email" json:"email,omitempty"`
	Level   int    `db:"level" json:"level"` // 1 to 3, or Escalation
}

// GroupChange is what a person submits.
type GroupChange struct {
	GroupSettings
	Version int // the version that was read; 0: whatever is stored
	Members []Member
}

// NewGroup returns what an empty form shows: the usual values, and the safe ones where there is a choice.
func NewGroup() GroupSettings {
	return GroupSettings{
		Active: true, ApprovalRequired: true, ApprovalsRequired: 1, RejectionsToCancel: 1,
		ValidityMinutes: 60, ApproverMayShorten: true,
	}
}

// Validate returns every problem at once.
func (c GroupChange) Validate() problem.Invalid {
	var wrong problem.Invalid
	switch name := strings.TrimSpace(c.Name); {
	case name == "":
		wrong.Add("name", "Enter a name.")
	case len(name) > 200:
		wrong.Add("name", "A name has at most 200 characters.")
	}
	between := func(field string, value, least, most int, what string) {
		if value < least || value > most {
			wrong.Add(field, "%s: enter a number from %d to %d.", what, least, most)
		}
	}
	between("approvals_required", c.ApprovalsRequired, 1, 20, "Approvals required")
	between("rejections_to_cancel", c.RejectionsToCancel, 1, 20, "Rejections required to cancel")
	between("validity_minutes", c.ValidityMinutes, 5, 30*24*60, "Approval validity")
	between("remind_after_minutes", c.RemindAfterMinutes, 0, 30*24*60, "Remind after")
	between("escalate_after_minutes", c.EscalateAfterMinutes, 0, 30*24*60, "Escalate after")
	c.validateMembers(&wrong)
	return wrong
}

func (c GroupChange) validateMembers(wrong *problem.Invalid) {
	seen := map[int64]bool{}
	for _, m := range c.Members {
		if m.UserID <= 0 || m.Level < 0 || m.Level > maxLevel {
			wrong.Add("members", "A member is a user with a level from 1 to %d, or 0 for those to whom requests are escalated.", maxLevel)
			return
		}
		if seen[m.UserID] {
			wrong.Add("members", "Somebody is in the group twice: choose one level for each.")
			return
		}
		seen[m.UserID] = true
	}
	for level, count := range c.perLevel() {
		if count < c.ApprovalsRequired {
			wrong.Add("members", "%s has %d of the %d approvers who must approve: add some, or ask for fewer approvals.", levelName(c.ApprovalInLevels, level+1), count, c.ApprovalsRequired)
		}
	}
	if c.EscalateAfterMinutes > 0 && !slices.ContainsFunc(c.Members, func(m Member) bool { return m.Level == Escalation }) {
		wrong.Add("escalate_after_minutes", "Add somebody to whom requests are escalated, or enter 0.")
	}
}

func levelName(inLevels bool, level int) string {
	if !inLevels {
		return "The group"
	}
	return fmt.Sprintf("Level %d", level)
}

// perLevel counts the members of each level from the first to the last that has any; without levels, of all.
func (c GroupChange) perLevel() []int {
	counts := make([]int, 1, maxLevel)
	for _, m := range c.Members {
		switch {
		case m.Level == Escalation:
		case !c.ApprovalInLevels:
			counts[0]++
		default:
			for len(counts) < m.Level {
				counts = append(counts, 0)
			}
			counts[m.Level-1]++
		}
	}
	return counts
}

// Deputy decides for somebody who is away.
type Deputy struct {
	ID         int64     `db:"id" json:"id"`
	UserID     int64     `db:"user_id" json:"user_id"`
	UserName   string    `db:"user_name" json:"user_name,omitempty"`
	DeputyID   int64     `db:"deputy_id" json:"deputy_id"`
	DeputyName string    `db:"deputy_name" json:"deputy_name,omitempty"`
	From       time.Time `db:"from_at" json:"from"`
	Until      time.Time `db:"until_at" json:"until"`
}
