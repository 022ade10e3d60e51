// Package approval lets people decide access requests.
//
// An application asks for an access; those who may decide get a mail with a link, and decide by it, by an
// answer to the mail, or at /approvals. All three ways end in Decide, which takes one row lock on the request:
// a hundred clicks at once are one decision. The rules of the approver group are copied into the request when it
// is made, so that a change of the group changes no request that is under way.
//
// Nobody decides an own request, by any way, not even as somebody's deputy.
package approval

import (
	"fmt"
	"strings"
	"time"
)

// Status is what has become of a request.
type Status string

// The statuses; all but Pending are final, but that an approved access can be revoked.
const (
	Pending   Status = "pending"
	Approved  Status = "approved"
	Rejected  Status = "rejected"
	Cancelled Status = "cancelled" // by who asked
	Revoked   Status = "revoked"   // approved, then taken back
	Expired   Status = "expired"   // nobody decided in time
)

// Statuses returns every status, in the order of a drop-down.
func Statuses() []Status { return []Status{Pending, Approved, Rejected, Cancelled, Revoked, Expired} }

// Valid reports whether s is one of the statuses.
func (s Status) Valid() bool {
	switch s {
	case Pending, Approved, Rejected, Cancelled, Revoked, Expired:
		return true
	}
	return false
}

// Label is the status for people.
func (s Status) Label() string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(string(s[:1])) + string(s[1:])
}

// Answer is what an approver says.
type Answer string

// The answers.
const (
	Approve Answer = "approve"
	Reject  Answer = "reject"
)

// Way is how a decision came in.
type Way string

// The ways.
const (
	Page  Way = "page"  // signed in, at /approvals or /decide
	Link  Way = "link"  // by the link alone, where the group allows it
	Reply Way = "reply" // by an answer to the mail
)

// Escalation is the level of those whom a request reaches when others are silent.
const Escalation = 0

// maxLevel is how many levels a group may have.
const maxLevel = 3

// Code is the name of a request among people: S000001.
func Code(id int64) string { return fmt.Sprintf("S%06d", id) }

// Person is a user of Orbit, as far as approvals care.
type Person struct {
	UserID   int64
	Name     string
	Email    string
	Language string
	TimeZone string
	Active   bool
}

// sameAddress compares two addresses as people mean them.
func sameAddress(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// Request is an access that somebody asks for.
type Request struct {
	ID                   int64      `db:"id" json:"id"`
	Status               Status     `db:"status" json:"status"`
	RequesterName        string     `db:"requester_name" json:"-"`
	RequesterEmail       string     `db:"requester_email" json:"-"`
	RequesterLanguage    string     `db:"requester_language" json:"-"`
	RequesterTimeZone    string     `db:"requester_time_zone" json:"-"`
	GroupID              int64      `db:"approver_group_id" json:"approver_group_id,omitempty"`
	GroupName            string     `db:"approver_group_name" json:"approver_group,omitempty"`
	DeviceHostname       string     `db:"device_hostname" json:"device_hostname,omitempty"`
	DeviceIP             string     `db:"device_ip" json:"device_ip,omitempty"`
	Credential           string     `db:"credential" json:"credential,omitempty"`
	CredentialUsername   string     `db:"credential_username" json:"credential_username,omitempty"`
	CredentialType       string     `db:"credential_type" json:"credential_type,omitempty"`
	Action               string     `db:"action" json:"action"`
	Actions              []string   `db:"actions" json:"actions,omitempty"`
	Reason               string     `db:"reason" json:"reason,omitempty"`
	Justification        string     `db:"justification" json:"justification,omitempty"`
	GovernanceID         string     `db:"governance_id" json:"governance_id,omitempty"`
	Emergency            bool       `db:"emergency" json:"emergency"`
	Start                time.Time  `db:"start_at" json:"start"`
	End                  time.Time  `db:"end_at" json:"end"`
	Level                int        `db:"level" json:"level"`
	Levels               int        `db:"levels" json:"levels"`
	ApprovalsRequired    int        `db:"approvals_required" json:"approvals_required"`
	RejectionsToCancel   int        `db:"rejections_to_cancel" json:"rejections_to_cancel"`
	ApproverMayShorten   bool       `db:"approver_may_shorten" json:"approver_may_shorten"`
	LinkAlone            bool       `db:"link_alone" json:"-"`
	RelaxedReplies       bool       `db:"relaxed_replies" json:"-"`
	RemindAfterMinutes   int        `db:"remind_after_minutes" json:"-"`
	EscalateAfterMinutes int        `db:"escalate_after_minutes" json:"-"`
	ExpiresAt            time.Time  `db:"expires_at" json:"expires_at"`
	CreatedAt            time.Time  `db:"created_at" json:"created_at"`
	CreatedBy            string     `db:"created_by" json:"created_by,omitempty"`
	EndedAt              *time.Time `db:"ended_at" json:"ended_at,omitempty"`
	EndedBy              string     `db:"ended_by" json:"ended_by,omitempty"`
	EndedBecause         string     `db:"ended_because" json:"ended_because,omitempty"`
}

// Code is the request's name among people.
func (r Request) Code() string { return Code(r.ID) }

// Approver is somebody who may decide a request.
type Approver struct {
	ID         int64      `db:"id" json:"-"`
	RequestID  int64      `db:"access_request_id" json:"-"`
	UserID     int64      `db:"user_id" json:"-"`
	Name       string     `db:"name" json:"name"`
	Email      string     `db:"email" json:"email"`
	Level      int        `db:"level" json:"level"`
	DeputyOf   string     `db:"deputy_of" json:"deputy_of,omitempty"`
	NotifiedAt *time.Time `db:"notified_at" json:"notified_at,omitempty"`
	RemindedAt *time.Time `db:"reminded_at" json:"reminded_at,omitempty"`
	BouncedAt  *time.Time `db:"bounced_at" json:"bounced_at,omitempty"`
	BounceText string     `db:"bounce_text" json:"bounce_text,omitempty"`
	Language   string     `db:"language" json:"-"`
	TimeZone   string     `db:"time_zone" json:"-"`
}

// Location is the zone in which the approver reads times.
func (a Approver) Location() *time.Location {
	zone, err := time.LoadLocation(a.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Decision is what an approver decided.
type Decision struct {
	ID            int64     `db:"id" json:"-"`
	RequestID     int64     `db:"access_request_id" json:"-"`
	ApproverID    int64     `db:"approver_id" json:"-"`
	ApproverName  string    `db:"approver_name" json:"approver"`
	Level         int       `db:"level" json:"level"`
	Answer        Answer    `db:"answer" json:"answer"`
	Justification string    `db:"justification" json:"justification,omitempty"`
	Way           Way       `db:"way" json:"way"`
	DecidedAt     time.Time `db:"decided_at" json:"decided_at"`
	Address       string    `db:"address" json:"-"`
}

// Whole is a request with everybody who may decide it and all that was decided.
type Whole struct {
	Request
	Approvers []Approver
	Decisions []Decision
}

// decisionOf returns what an approver has decided.
func (w Whole) decisionOf(approverID int64) (Decision, bool) {
	for _, d := range w.Decisions {
		if d.ApproverID == approverID {
			return d, true
		}
	}
	return Decision{}, false
}

// ApproverFor returns the user among those who may decide.
func (w Whole) ApproverFor(userID int64) (Approver, bool) {
	for _, a := range w.Approvers {
		if a.UserID == userID {
			return a, true
		}
	}
	return Approver{}, false
}
