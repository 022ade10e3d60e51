package notify

import (
	"fmt"
	"slices"
	"strings"
)

// Category groups event types.
type Category string

// The categories that Orbit knows; own types may bring others.
const (
	AccessRequests Category = "Access requests"
	Passwords      Category = "Passwords"
	Certificates   Category = "Certificates"
	Security       Category = "Security"
	Sessions       Category = "Sessions"
	System         Category = "Orbit"
)

// Kind is the form of a field in an event's data.
type Kind string

// The kinds of fields.
const (
	TextField   Kind = "text"
	TimeField   Kind = "time" // RFC 3339
	NumberField Kind = "number"
	ListField   Kind = "list" // of texts
)

// Field is one member of an event's data. The tag of a text is its name in capitals: device_hostname is
// [#DEVICE_HOSTNAME#].
type Field struct {
	Name     string `json:"name"`
	Kind     Kind   `json:"kind"`
	Required bool   `json:"required,omitempty"`
	Doc      string `json:"doc,omitempty"`
	Sample   string `json:"sample,omitempty"` // for previews
}

// EventType says what may happen and what is told of it.
type EventType struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Category Category `json:"category"`
	Fields   []Field  `json:"fields"` // of an own type: empty means whatever comes
	Own      bool     `json:"own"`    // added here, not one that Orbit knows
	Priority Priority `json:"-"`
}

// Catalogue returns the event types that Orbit knows, by category.
func Catalogue() []EventType { return slices.Clone(catalogue) }

// KnownType returns the type of that name from the catalogue.
func KnownType(name string) (EventType, bool) {
	i := slices.IndexFunc(catalogue, func(t EventType) bool { return t.Name == name })
	if i < 0 {
		return EventType{}, false
	}
	return catalogue[i], true
}

var catalogue = slices.Concat(
	kinds(AccessRequests, Urgent, requestFields,
		"access_request.created", "Access request created",
		"access_request.level_advanced", "Access request goes on to the next level",
		"access_request.approved", "Access request approved",
		"access_request.rejected", "Access request rejected",
		"access_request.cancelled", "Access request cancelled",
		"access_request.expired", "Access request expired",
		"access_request.revoked", "Access request revoked"),
	kinds(Passwords, Normal, passwordFields,
		"password.viewed", "Password viewed",
		"password.changed", "Password changed",
		"password.failed", "Password change failed"),
	kinds(Certificates, Normal, certificateFields,
		"certificate.created", "Certificate created",
		"certificate.renewed", "Certificate renewed",
		"certificate.revoked", "Certificate revoked"),
	expiries(),
	kinds(Security, Normal, securityFields,
		"access.suspicious", "Suspicious access"),
	kinds(Sessions, Normal, sessionFields,
		"session.started", "Session started",
		"session.ended", "Session ended",
		"session.interrupted", "Session interrupted",
		"session.command_audited", "Command audited"),
	kinds(System, Normal, systemFields,
		"orbit.account_failing", "An SMTP or IMAP/POP3 account does not work",
		"orbit.account_recovered", "An SMTP or IMAP/POP3 account works again",
		"orbit.grant_dead", "An authorisation at a provider has ended",
		"orbit.secret_expiring", "A secret of a registration ends soon",
		"orbit.connector_down", "A network connector is down",
		"orbit.connector_up", "A network connector is up",
		"orbit.agent_down", "One of several agents of a network connector is down",
		"orbit.agent_up", "One of several agents of a network connector is up",
		"orbit.address_bounced", "An address bounces"),
)

// kinds lists types that have the same fields; named gives name and title in turns.
func kinds(category Category, priority Priority, fields []Field, named ...string) []EventType {
	var types []EventType
	for pair := range slices.Chunk(named, 2) {
		types = append(types, EventType{Name: pair[0], Title: pair[1], Category: category, Fields: fields, Priority: priority})
	}
	return types
}

// expiryDays are the days before the end of a certificate at which somebody is told.
var expiryDays = []int{90, 60, 30, 15, 7, 1, 0}

// expiries are the alerts about certificates that end: each alone, and all of a day in one message.
func expiries() []EventType {
	var types []EventType
	for _, consolidated := range []bool{false, true} {
		for _, days := range expiryDays {
			name, when := fmt.Sprintf("certificate.expiring_%d", days), fmt.Sprintf("in %d days", days)
			switch days {
			case 0:
				when = "today"
			case 1:
				when = "in 1 day"
			}
			t := EventType{Name: name, Title: "Certificate expires " + when, Category: Certificates, Fields: certificateFields, Priority: Normal}
			if consolidated {
				t.Name, t.Title, t.Fields = name+"_consolidated", "Certificates expire "+when+" (consolidated)", consolidatedFields
				t.Priority = Bulk
			}
			types = append(types, t)
		}
	}
	return types
}

// The fields by purpose. FIELDS.md section 6 of the specification has the tags.
var (
	requestFields = fields(
		"request_code!", "Code of the request", "S000042", "request_id#", "Its number in the API", "42", "request_status", "Pending, Approved, ...", "Pending",
		"requester!", "Who asks", "Ann Example", "requester_email", "Their address", "ann@example.com", "emergency", "yes for an emergency access", "no", "request_date@", "When", "2026-11-23T12:40:00Z", "approver", "Who decides", "Bob Example",
		"answered_by", "Who has decided", "Bob Example", "answer_date@", "When", "2026-11-23T12:52:00Z",
		"answer_justification", "What was written with the decision", "As agreed",
		"action", "What is to be done", "Start session", "action_list*", "Several actions", "View password, Start session",
		"action_list_syslog", "The actions as one word each", "view_password,start_session",
		"device_hostname", "Name of the device", "router-7", "device_ip", "Its address", "192.0.2.7",
		"credential", "The credential as it is known", "admin@router-7",
		"credential_username", "Username of the credential", "admin", "credential_type", "Its type", "Local user",
		"reason", "Why", "Maintenance", "justification", "In words", "Replace the power supply",
		"governance_id", "Number of the change", "CHG0042", "start_datetime@", "Start of the access", "2026-11-23T13:00:00Z",
		"end_datetime@", "Its end", "2026-11-23T14:00:00Z", "level#", "Level of the approval", "1",
	)
	passwordFields = fields(
		"credential!", "The credential", "admin@router-7", "credential_username", "Its username", "admin", "credential_type", "Its type", "Local user",
		"device_hostname", "Name of the device", "router-7", "device_ip", "Its address", "192.0.2.7", "responsible", "Who did it", "Ann Example",
		"reason", "Why", "Maintenance", "error", "What went wrong", "Access denied", "device_list*", "Devices where it failed", "router-7, router-8",
	)
	certificateFields = fields(
		"commonname!", "Name in the certificate", "www.example.com", "issued_by", "Who issued it", "Example CA", "responsible", "Who looks after it", "Ann Example",
		"validity_init@", "Start", "2026-01-01T00:00:00Z", "validity_end@", "End", "2027-01-01T00:00:00Z", "cert_desc", "Description", "Shop",
		"cert_environments*", "Environments", "production", "cert_systems*", "Systems", "shop", "cert_tags*", "Tags", "public",
		"device_hostname", "Device it is on", "web-1", "device_ip", "Its address", "192.0.2.80",
	)
	consolidatedFields = fields("cert_list*!", "The certificates, one each", "www.example.com, mail.example.com")
	securityFields     = fields(
		"reason!", "What was seen", "Sign-in from an unknown country", "responsible", "Who", "Ann Example", "action", "What was done", "Sign-in",
		"credential_username", "Username that was used", "admin", "device_hostname", "Name of the device", "router-7",
		"device_ip", "Its address", "192.0.2.7", "source_ip", "From where", "203.0.113.9",
	)
	sessionFields = fields(
		"responsible!", "Whose session it is", "Ann Example", "device_hostname!", "Name of the device", "router-7", "device_ip", "Its address", "192.0.2.7",
		"credential_username", "Username that was used", "admin", "action", "What happened", "reload", "reason", "Why it is told", "Command on the watch list",
		"source_ip", "From where", "203.0.113.9",
	)
	systemFields = fields(
		"subject_name!", "What it is about", "Office365", "error!", "What goes wrong", "The server refuses the password.", "remedy", "What to do", "Enter the password again.",
		"days_left#", "Days that are left", "7", "validity_end@", "Last day", "2026-12-31T00:00:00Z", "url_open", "Page in Orbit where it can be done", "https://orbit.example.com/settings/notifications/smtp",
	)
)

// fields reads triples of name, doc and sample. A mark behind the name: "!" required, "@" a time, "*" a list,
// "#" a number.
func fields(triples ...string) []Field {
	var all []Field
	for triple := range slices.Chunk(triples, 3) {
		name := strings.TrimRight(triple[0], "!@*#")
		marks := triple[0][len(name):]
		f := Field{Name: name, Kind: TextField, Required: strings.Contains(marks, "!"), Doc: triple[1], Sample: triple[2]}
		switch {
		case strings.Contains(marks, "@"):
			f.Kind = TimeField
		case strings.Contains(marks, "*"):
			f.Kind = ListField
		case strings.Contains(marks, "#"):
			f.Kind = NumberField
		}
		all = append(all, f)
	}
	return all
}
