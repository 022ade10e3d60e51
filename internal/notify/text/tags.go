package text

import (
	"regexp"
	"slices"
)

// Kind says how the value of a tag is written.
type Kind string

// The kinds of tags.
const (
	KindText     Kind = "text"
	KindList     Kind = "list"      // several texts: in a sentence with commas, alone in a paragraph as a list
	KindDateTime Kind = "date_time" // 12/19/2026 12:47:00
	KindLongTime Kind = "long_time" // Thursday, December 19 12:47 PM
	KindDate     Kind = "date"      // 12/19/2026
	KindTime     Kind = "time"      // 12:47 PM
	KindURL      Kind = "url"       // the address itself, linked
	KindLink     Kind = "link"      // a button
	KindHint     Kind = "hint"      // a sentence of ours, said when it applies
)

// Tag is a name that stands for a value.
type Tag struct {
	Name    string // as between [# and #]
	Kind    Kind
	Meaning string // for the list beside the editor
}

// String is the tag as it is written.
func (t Tag) String() string { return "[#" + t.Name + "#]" }

// written matches a tag.
var written = regexp.MustCompile(`\[#([A-Z][A-Z0-9_]{0,63})#\]`)

// group is tags that belong to the same things.
type group []Tag

// pick takes some tags out of a group.
func pick(from group, names ...string) group {
	var picked group
	for _, t := range from {
		if slices.Contains(names, t.Name) {
			picked = append(picked, t)
		}
	}
	return picked
}

var (
	general = group{
		{"RECIPIENT", KindText, "Name of who receives the mail"},
		{"TIME_ZONE", KindText, "Zone of the times in this mail"},
		{"EVENT_TIME", KindLongTime, "When it happened"},
		{"URL_ORBIT", KindURL, "Address of Orbit's pages"},
	}
	request = group{
		{"REQUEST_CODE", KindText, "Code of the request, S000001"},
		{"REQUEST_STATUS", KindText, "Pending, approved, rejected ..."},
		{"REQUESTER", KindText, "Who asks"},
		{"REQUEST_DATE", KindDateTime, "When the request was made"},
		{"APPROVER", KindText, "Who is to decide"},
		{"ACTION", KindText, "What is to be done"},
		{"ACTION_LIST", KindList, "Each of the actions"},
		{"ACTION_LIST_SYSLOG", KindText, "The actions in one line"},
		{"DEVICE_HOSTNAME", KindText, "Name of the device"},
		{"DEVICE_IP", KindText, "Address of the device"},
		{"CREDENTIAL", KindText, "The credential as it is known"},
		{"CREDENTIAL_USERNAME", KindText, "Username of the credential"},
		{"CREDENTIAL_TYPE", KindText, "Type of the credential"},
		{"REASON", KindText, "The reason that was chosen"},
		{"JUSTIFICATION", KindText, "What the requester wrote"},
		{"GOVERNANCE_ID", KindText, "Number of the ticket or change"},
		{"START_DATETIME", KindDateTime, "Start of the access"},
		{"END_DATETIME", KindDateTime, "End of the access"},
		{"START_DATETIME_STR", KindLongTime, "Start of the access in words"},
		{"END_DATETIME_STR", KindLongTime, "End of the access in words"},
		{"START_DATE", KindDate, "Day on which the access starts"},
		{"END_DATE", KindDate, "Day on which the access ends"},
		{"START_TIME", KindTime, "Time at which the access starts"},
		{"END_TIME", KindTime, "Time at which the access ends"},
	}
	decision = group{
		{"LINK_APPROVE", KindLink, "Button that opens the request to approve it"},
		{"URL_APPROVE", KindURL, "Address behind that button"},
		{"LINK_REJECT", KindLink, "Button that opens the request to reject it"},
		{"URL_REJECT", KindURL, "Address behind that button"},
		{"REPLY_HINT", KindHint, "Says that the mail can be answered, when a mailbox reads the answers"},
		{"EMERGENCY_HINT", KindHint, "Says that it is an emergency, when it is one"},
		{"EXPIRES", KindLongTime, "Until when the request can be decided"},
		{"LEVEL", KindText, "Level of approval, 1 to 3"},
	}
	answer = group{
		{"ANSWERED_BY", KindText, "Who decided"},
		{"ANSWER_DATE", KindDateTime, "When it was decided"},
		{"ANSWER_JUSTIFICATION", KindText, "What was written with the decision"},
	}
	view = group{
		{"LINK_REQUEST", KindLink, "Button that opens the request"},
		{"URL_REQUEST", KindURL, "Address behind that button"},
	}
	secret = group{
		{"CREDENTIAL", KindText, "The credential as it is known"},
		{"CREDENTIAL_USERNAME", KindText, "Username of the credential"},
		{"CREDENTIAL_TYPE", KindText, "Type of the credential"},
		{"DEVICE_HOSTNAME", KindText, "Name of the device"},
		{"DEVICE_IP", KindText, "Address of the device"},
		{"RESPONSIBLE", KindText, "Who did it, or is responsible"},
		{"REASON", KindText, "Why"},
		{"ERROR", KindText, "What went wrong"},
		{"DEVICE_LIST", KindList, "Each device that is affected"},
	}
	certificate = group{
		{"COMMONNAME", KindText, "Common name of the certificate"},
		{"ISSUED_BY", KindText, "Who issued it"},
		{"VALIDITY_INIT", KindDate, "First day on which it is valid"},
		{"VALIDITY_END", KindDate, "Last day on which it is valid"},
		{"DAYS_LEFT", KindText, "Days until it expires"},
		{"RESPONSIBLE", KindText, "Who is responsible for it"},
		{"CERT_DESC", KindText, "Description"},
		{"CERT_ENVIRONMENTS", KindList, "Environments"},
		{"CERT_SYSTEMS", KindList, "Systems"},
		{"CERT_TAGS", KindList, "Tags of the certificate"},
		{"CERT_LIST", KindList, "Each certificate with its last day (consolidated)"},
	}
	session = group{
		{"RESPONSIBLE", KindText, "Whose session it is"},
		{"DEVICE_HOSTNAME", KindText, "Name of the device"},
		{"DEVICE_IP", KindText, "Address of the device"},
		{"CREDENTIAL_USERNAME", KindText, "Username that was used"},
		{"ACTION", KindText, "What happened"},
		{"REASON", KindText, "Why it is reported"},
		{"SOURCE_IP", KindText, "Where it came from"},
	}
	own = group{
		{"SUBJECT_NAME", KindText, "Name of the account, mailbox, secret or connector"},
		{"ERROR", KindText, "What goes wrong"},
		{"REMEDY", KindText, "What to do"},
		{"DAYS_LEFT", KindText, "Days that are left"},
		{"VALIDITY_END", KindDate, "Last day"},
		{"LINK_OPEN", KindLink, "Button that opens the page in Orbit"},
		{"URL_OPEN", KindURL, "Address behind that button"},
	}
	digest = group{
		{"DIGEST_COUNT", KindText, "How many notices the mail gathers"},
		{"DIGEST_LIST", KindList, "Each notice in one line"},
	}
	notice = group{
		{"EVENT", KindText, "Name of the type of the event"},
		{"EVENT_DATA", KindList, "Each field of the event with its value"},
	}
)

// kinds is the kind of every tag; a name that stands in two groups means the same in both.
var kinds = func() map[string]Kind {
	all := map[string]Kind{}
	for _, g := range []group{general, request, decision, answer, view, secret, certificate, session, own, digest, notice} {
		for _, t := range g {
			all[t.Name] = t.Kind
		}
	}
	return all
}()

// tagsOf puts groups together.
func tagsOf(groups ...group) []Tag {
	var all []Tag
	for _, g := range append([]group{general}, groups...) {
		for _, t := range g {
			if !slices.ContainsFunc(all, func(other Tag) bool { return other.Name == t.Name }) {
				all = append(all, t)
			}
		}
	}
	return all
}

// Used returns the names of the tags in a text, each once, in their order.
func Used(t Text) []string {
	var names []string
	for _, m := range written.FindAllStringSubmatch(t.Subject+"\n"+t.Message, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}
