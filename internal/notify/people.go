package notify

import "time"

// Contact is somebody who can be told.
type Contact struct {
	ID         int64      `db:"id" json:"id"`
	Name       string     `db:"name" json:"name" form:"name" label:"Name"`
	Email      string     `db:"email" json:"email,omitempty" form:"email" label:"E-mail"`
	Username   string     `db:"username" json:"username,omitempty" form:"username" label:"Username"`
	Department string     `db:"department" json:"department,omitempty" form:"department" label:"Department"`
	Language   string     `db:"language" json:"language" form:"language" label:"Language"`
	TimeZone   string     `db:"time_zone" json:"time_zone" form:"time_zone" label:"Time zone"`
	UserID     int64      `db:"user_id" json:"user_id,omitempty" form:"user_id" label:"User of Orbit"` // whose bell shows notifications on screen
	Active     bool       `db:"active" json:"active" form:"active" label:"Active"`
	BouncedAt  *time.Time `db:"bounced_at" json:"bounced_at,omitempty"` // mail to the address came back for good
	BounceText string     `db:"bounce_text" json:"bounce_text,omitempty"`
	CreatedAt  time.Time  `db:"created_at" json:"created_at"`
	CreatedBy  string     `db:"created_by" json:"created_by,omitempty"`
	ChangedAt  time.Time  `db:"changed_at" json:"changed_at"`
	ChangedBy  string     `db:"changed_by" json:"changed_by,omitempty"`
	Version    int        `db:"version" json:"version"`
}

// Group is several contacts under one name.
type Group struct {
	ID          int64     `db:"id" json:"id"`
	Name        string    `db:"name" json:"name" form:"name" label:"Name"`
	Description string    `db:"description" json:"description,omitempty" form:"description" label:"Description"`
	Members     int       `db:"members" json:"members"`
	CreatedAt   time.Time `db:"created_at" json:"created_at"`
	CreatedBy   string    `db:"created_by" json:"created_by,omitempty"`
	ChangedAt   time.Time `db:"changed_at" json:"changed_at"`
	ChangedBy   string    `db:"changed_by" json:"changed_by,omitempty"`
	Version     int       `db:"version" json:"version"`
}

// RuleSettings is what a person sets on a rule: whom to tell of which events, and how.
type RuleSettings struct {
	Name                   string `db:"name" json:"name" form:"name" label:"Notification name"`
	Active                 bool   `db:"active" json:"active" form:"active" label:"Enabled"`
	ByEmail                bool   `db:"by_email" json:"by_email" form:"by_email" label:"E-mail"`
	OnScreen               bool   `db:"on_screen" json:"on_screen" form:"on_screen" label:"Screen"`
	ByWebhook              bool   `db:"by_webhook" json:"by_webhook" form:"by_webhook" label:"Webhook"`
	OnlyContactsWithAccess bool   `db:"only_contacts_with_access" json:"only_contacts_with_access" form:"only_contacts_with_access" label:"Send notifications only to contacts who have access to credentials or devices"`
	DigestMinutes          int    `db:"digest_minutes" json:"digest_minutes,omitempty" form:"digest_minutes" label:"Collect for (minutes)"` // 0: immediately; Daily
	DigestAt               string `db:"digest_at" json:"digest_at,omitempty" form:"digest_at" label:"Daily at"`                             // "08:00" in the contact's zone
	QuietFrom              string `db:"quiet_from" json:"quiet_from,omitempty" form:"quiet_from" label:"Quiet from"`                        // in the contact's zone
	QuietUntil             string `db:"quiet_until" json:"quiet_until,omitempty" form:"quiet_until" label:"Quiet until"`
	AccountID              int64  `db:"smtp_account_id" json:"smtp_account_id,omitempty" form:"smtp_account_id" label:"SMTP account"` // 0: the default
}

// Daily is the DigestMinutes of one message a day.
const Daily = 24 * 60

// Rule is a stored rule.
type Rule struct {
	ID int64 `db:"id" json:"id"`
	RuleSettings
	CreatedAt time.Time `db:"created_at" json:"created_at"`
	CreatedBy string    `db:"created_by" json:"created_by,omitempty"`
	ChangedAt time.Time `db:"changed_at" json:"changed_at"`
	ChangedBy string    `db:"changed_by" json:"changed_by,omitempty"`
	Version   int       `db:"version" json:"version"`
}

// RuleChange is what a person submits.
type RuleChange struct {
	RuleSettings
	Version    int
	EventTypes []string
	ContactIDs []int64
	GroupIDs   []int64
	WebhookIDs []int64
}

// Text is what an administrator wrote in place of a built-in text.
type Text struct {
	ID        int64     `db:"id" json:"id"`
	Type      string    `db:"type" json:"type"`
	Language  string    `db:"language" json:"language"`
	Subject   string    `db:"subject" json:"subject" form:"subject" label:"Subject"`
	Message   string    `db:"message" json:"message" form:"message,lines" label:"Message"`
	Active    bool      `db:"active" json:"active" form:"active" label:"Active"`
	CreatedAt time.Time `db:"created_at" json:"created_at"`
	CreatedBy string    `db:"created_by" json:"created_by,omitempty"`
	ChangedAt time.Time `db:"changed_at" json:"changed_at"`
	ChangedBy string    `db:"changed_by" json:"changed_by,omitempty"`
	Version   int       `db:"version" json:"version"`
}
