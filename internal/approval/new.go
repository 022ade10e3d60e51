package approval

import (
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"orbit/internal/problem"
)

// NameEmail is somebody as an application knows them.
type NameEmail struct {
	Name  string `json:"name" doc:"As people know them"`
	Email string `json:"email" doc:"Where their mail goes"`
}

// Requester is who asks; they need not be a user of Orbit.
type Requester struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Language string `json:"language,omitempty" enum:"en,pt,es" doc:"Of the mails to them; absent: en"`
	TimeZone string `json:"time_zone,omitempty" doc:"Of the times in them, Europe/Lisbon; absent: UTC"`
}

// New is a request as an application makes it.
type New struct {
	Requester          Requester   `json:"requester"`
	Manager            *NameEmail  `json:"manager,omitempty" doc:"Added to the approvers when the group says so"`
	ApproverGroup      string      `json:"approver_group,omitempty" doc:"Name of an approver group; or approvers"`
	Approvers          []NameEmail `json:"approvers,omitempty" maxItems:"50" doc:"Who may decide, without a group; one approval is enough"`
	DeviceHostname     string      `json:"device_hostname,omitempty"`
	DeviceIP           string      `json:"device_ip,omitempty"`
	Credential         string      `json:"credential,omitempty"`
	CredentialUsername string      `json:"credential_username,omitempty"`
	CredentialType     string      `json:"credential_type,omitempty"`
	Action             string      `json:"action" doc:"What is to be done: Start session, View password"`
	Actions            []string    `json:"actions,omitempty" maxItems:"50" doc:"Each of the actions, when there are several"`
	Reason             string      `json:"reason,omitempty"`
	Justification      string      `json:"justification,omitempty"`
	GovernanceID       string      `json:"governance_id,omitempty" doc:"Number of the ticket or change"`
	Emergency          bool        `json:"emergency,omitempty" doc:"Granted at once, where the group allows it"`
	Start              time.Time   `json:"start,omitzero" doc:"RFC 3339; absent: now"`
	End                time.Time   `json:"end" doc:"RFC 3339"`
	IdempotencyKey     string      `json:"idempotency_key,omitempty" maxLength:"200" doc:"The same key again is the same request"`
}

// Lengths that a mail and a table can show.
const (
	maxShort = 300
	maxLong  = 4000
)

// Normalise drops blanks around values and fills in what may be left out.
func (n New) Normalise(now time.Time) New {
	for _, s := range []*string{
		&n.Requester.Name, &n.Requester.Email, &n.ApproverGroup, &n.DeviceHostname, &n.DeviceIP, &n.Credential, &n.CredentialUsername,
		&n.CredentialType, &n.Action, &n.Reason, &n.Justification, &n.GovernanceID, &n.IdempotencyKey,
	} {
		*s = strings.TrimSpace(*s)
	}
	n.Approvers = slices.Clone(n.Approvers)
	for i := range n.Approvers {
		n.Approvers[i] = NameEmail{strings.TrimSpace(n.Approvers[i].Name), strings.TrimSpace(n.Approvers[i].Email)}
	}
	if n.Manager != nil {
		n.Manager = &NameEmail{strings.TrimSpace(n.Manager.Name), strings.TrimSpace(n.Manager.Email)}
	}
	if n.Requester.Language == "" {
		n.Requester.Language = "en"
	}
	if n.Requester.TimeZone == "" {
		n.Requester.TimeZone = "UTC"
	}
	if n.Start.IsZero() {
		n.Start = now
	}
	return n
}

// Validate returns every problem at once. n is normalised.
func (n New) Validate(now time.Time) problem.Invalid {
	var wrong problem.Invalid
	checkPerson(&wrong, "requester", NameEmail{n.Requester.Name, n.Requester.Email})
	if _, err := time.LoadLocation(n.Requester.TimeZone); err != nil || n.Requester.TimeZone == "Local" {
		wrong.Add("requester", "“%s” is not a time zone: write Europe/Lisbon for instance.", n.Requester.TimeZone)
	}
	if !slices.Contains([]string{"en", "pt", "es"}, n.Requester.Language) {
		wrong.Add("requester", "The language is en, pt or es.")
	}
	if n.Manager != nil {
		checkPerson(&wrong, "manager", *n.Manager)
	}
	for _, a := range n.Approvers {
		checkPerson(&wrong, "approvers", a)
	}
	switch {
	case n.ApproverGroup == "" && len(n.Approvers) == 0:
		wrong.Add("approver_group", "Name an approver group, or list approvers.")
	case n.ApproverGroup != "" && len(n.Approvers) > 0:
		wrong.Add("approvers", "Name an approver group or list approvers, not both.")
	}
	if n.Action == "" {
		wrong.Add("action", "Say what is to be done.")
	}
	n.validateLengths(&wrong)
	n.validatePeriod(&wrong, now)
	return wrong
}

func (n New) validateLengths(wrong *problem.Invalid) {
	for field, value := range map[string]string{
		"device_hostname": n.DeviceHostname, "device_ip": n.DeviceIP, "credential": n.Credential, "credential_username": n.CredentialUsername,
		"credential_type": n.CredentialType, "action": n.Action, "reason": n.Reason, "governance_id": n.GovernanceID, "idempotency_key": n.IdempotencyKey,
		"actions": longest(n.Actions),
	} {
		checkText(wrong, field, value, maxShort)
	}
	checkText(wrong, "justification", n.Justification, maxLong)
	if len(n.Actions) > 50 {
		wrong.Add("actions", "List at most 50 actions.")
	}
	if len(n.Approvers) > 50 {
		wrong.Add("approvers", "List at most 50 approvers.")
	}
}

func (n New) validatePeriod(wrong *problem.Invalid, now time.Time) {
	switch {
	case n.End.IsZero():
		wrong.Add("end", "Say when the access ends.")
	case !n.End.After(now):
		wrong.Add("end", "The access ends in the past (%s).", n.End.Format(time.RFC3339))
	case !n.End.After(n.Start):
		wrong.Add("end", "The access must end after it starts (%s).", n.Start.Format(time.RFC3339))
	}
}

func longest(list []string) string {
	long := ""
	for _, s := range list {
		if len(s) > len(long) {
			long = s
		}
	}
	return long
}

// checkText refuses what no database column or mail can take.
func checkText(wrong *problem.Invalid, field, value string, most int) {
	switch {
	case utf8.RuneCountInString(value) > most:
		wrong.Add(field, "At most %d characters are allowed, this has %d.", most, utf8.RuneCountInString(value))
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		wrong.Add(field, "This is no text in UTF-8.")
	}
}

func checkPerson(wrong *problem.Invalid, field string, p NameEmail) {
	checkText(wrong, field, p.Name, maxShort)
	if p.Name == "" {
		wrong.Add(field, "Enter a name.")
	}
	parsed, err := mail.ParseAddress(p.Email)
	if err != nil || parsed.Address != p.Email || len(p.Email) > 254 {
		wrong.Add(field, "“%s” is not an e-mail address.", p.Email)
	}
}
