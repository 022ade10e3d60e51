package text

import (
	"slices"
	"strings"
)

// Type is a kind of mail with words of its own.
type Type struct {
	Key      string // event type, and for whom where an event has several readers
	Category string
	Name     string // as the report shows it
	Tags     []Tag
	Needs    []string // tags of which a message must hold one, or it is of no use
}

// The categories, in the order of the report.
const (
	AccessRequests = "Access requests"
	Passwords      = "Passwords"
	Certificates   = "Certificates"
	Sessions       = "Sessions"
	AboutOrbit     = "Orbit"
	Other          = "Other"
)

var (
	toDecide = []string{"LINK_APPROVE", "URL_APPROVE", "LINK_REJECT", "URL_REJECT"}
	toView   = []string{"LINK_REQUEST", "URL_REQUEST"}
)

// types is every type that has built-in words.
var types = []Type{
	{"access_request.created.approver", AccessRequests, "Request Created: Approver", tagsOf(request, decision), toDecide},
	{"access_request.created.requester", AccessRequests, "Request Created: Requester", tagsOf(request, view), nil},
	{"access_request.informed.approver", AccessRequests, "Request Informed: Approver", tagsOf(request, view, pick(decision, "EMERGENCY_HINT")), nil},
	{"access_request.level_advanced.requester", AccessRequests, "Level Reached: Requester", tagsOf(request, answer, view, pick(decision, "LEVEL")), nil},
	{"access_request.reminder.approver", AccessRequests, "Request Reminder: Approver", tagsOf(request, decision), toDecide},
	{"access_request.escalated.approver", AccessRequests, "Request Escalated: Approver", tagsOf(request, decision), toDecide},
	{"access_request.approved.requester", AccessRequests, "Request Approved: Requester", tagsOf(request, answer, view), nil},
	{"access_request.rejected.requester", AccessRequests, "Request Rejected: Requester", tagsOf(request, answer, view), nil},
	{"access_request.cancelled.approver", AccessRequests, "Request Cancelled: Approver", tagsOf(request, answer, view), nil},
	{"access_request.cancelled.requester", AccessRequests, "Request Cancelled: Requester", tagsOf(request, answer, view), nil},
	{"access_request.expired.requester", AccessRequests, "Request Expired: Requester", tagsOf(request, view), nil},
	{"access_request.revoked.requester", AccessRequests, "Request Revoked: Requester", tagsOf(request, answer, view), nil},
	{"access_request.reply_not_accepted.approver", AccessRequests, "Answer Not Accepted: Approver", tagsOf(request, view, decision, pick(own, "ERROR")), append(slices.Clone(toDecide), toView...)},
	{"access_request.decided", AccessRequests, "Request Decided: Contacts", tagsOf(request, answer, view), nil},
	{"approver.invited", AccessRequests, "Invitation: Approver", tagsOf(pick(own, "LINK_OPEN", "URL_OPEN"), pick(decision, "EXPIRES")), []string{"LINK_OPEN", "URL_OPEN"}},

	{"password.viewed", Passwords, "Password Viewed", tagsOf(secret), nil},
	{"password.changed", Passwords, "Password Changed", tagsOf(secret), nil},
	{"password.failed", Passwords, "Password Change Failed", tagsOf(secret), nil},

	{"certificate.created", Certificates, "Certificate Created", tagsOf(certificate), nil},
	{"certificate.renewed", Certificates, "Certificate Renewed", tagsOf(certificate), nil},
	{"certificate.revoked", Certificates, "Certificate Revoked", tagsOf(certificate), nil},
	{"certificate.expiring", Certificates, "Certificate Expiring", tagsOf(certificate), nil},
	{"certificate.expiring_consolidated", Certificates, "Certificates Expiring: Consolidated", tagsOf(certificate), []string{"CERT_LIST"}},

	{"access.suspicious", Sessions, "Suspicious Access", tagsOf(session), nil},
	{"session.started", Sessions, "Session Started", tagsOf(session), nil},
	{"session.ended", Sessions, "Session Ended", tagsOf(session), nil},

	{"orbit.account_failing", AboutOrbit, "Account Failing", tagsOf(own), nil},
	{"orbit.grant_dead", AboutOrbit, "Authorisation Lost", tagsOf(own), nil},
	{"orbit.secret_expiring", AboutOrbit, "Secret Expiring", tagsOf(own), nil},
	{"orbit.connector_down", AboutOrbit, "Connector Down", tagsOf(own), nil},
	{"orbit.connector_up", AboutOrbit, "Connector Up", tagsOf(own), nil},
	{"orbit.agent_down", AboutOrbit, "Connector Agent Down", tagsOf(own), nil},
	{"orbit.agent_up", AboutOrbit, "Connector Agent Up Again", tagsOf(own), nil},

	{"digest", Other, "Digest", tagsOf(digest), []string{"DIGEST_LIST"}},
	{"other", Other, "Own Event Type", tagsOf(notice), nil},
}

// Types returns every type, in the order of the report.
func Types() []Type { return slices.Clone(types) }

// Find returns the type of that key.
func Find(key string) (Type, bool) {
	i := slices.IndexFunc(types, func(t Type) bool { return t.Key == key })
	if i < 0 {
		return Type{}, false
	}
	return types[i], true
}

// Own returns the type of an event that an administrator has added: besides the tags of every notice each of
// its fields is one, in capitals.
func Own(key, name string, fields []string) Type {
	t := Type{Key: key, Category: Other, Name: name, Tags: tagsOf(notice)}
	for _, field := range fields {
		t.Tags = append(t.Tags, Tag{Name: TagName(field), Kind: KindText, Meaning: "The field " + field})
	}
	return t
}

// TagName is the tag of a field of an event: device_hostname becomes DEVICE_HOSTNAME.
func TagName(field string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, field)
}
