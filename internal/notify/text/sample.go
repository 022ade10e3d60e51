package text

import "time"

// Sample returns values for a preview: an access that somebody might ask for tomorrow, a certificate that ends
// soon. Every tag of the type has one.
func Sample(t Type, now time.Time) Values {
	start := now.Add(2 * time.Hour).Truncate(time.Minute)
	values := Values{}.SetText(
		"RECIPIENT", "Alex Morgan", "TIME_ZONE", "Europe/Lisbon",
		"REQUEST_CODE", "S000042", "REQUEST_STATUS", "Pending", "REQUESTER", "Maria Silva", "APPROVER", "Alex Morgan",
		"ACTION", "Start session", "ACTION_LIST_SYSLOG", "Start session, View password",
		"DEVICE_HOSTNAME", "db-01.example.com", "DEVICE_IP", "192.0.2.10", "CREDENTIAL", "root on db-01.example.com",
		"CREDENTIAL_USERNAME", "root", "CREDENTIAL_TYPE", "Local user", "REASON", "Maintenance",
		"JUSTIFICATION", "Install the security update of the database.", "GOVERNANCE_ID", "CHG-1024",
		"ANSWERED_BY", "Alex Morgan", "ANSWER_JUSTIFICATION", "As agreed in the change.", "LEVEL", "1",
		"RESPONSIBLE", "Maria Silva", "ERROR", "The server refused the password.", "REMEDY", "Enter the new password.",
		"COMMONNAME", "www.example.com", "ISSUED_BY", "Example CA", "DAYS_LEFT", "30", "CERT_DESC", "Public site",
		"SOURCE_IP", "198.51.100.7", "SUBJECT_NAME", "Mail of the data centre", "DIGEST_COUNT", "3", "EVENT", "Password viewed",
	).SetPeriod(start, start.Add(time.Hour))
	for _, name := range []string{"REQUEST_DATE", "ANSWER_DATE", "EVENT_TIME", "VALIDITY_INIT"} {
		values[name] = Value{Time: now}
	}
	values["EXPIRES"], values["VALIDITY_END"] = Value{Time: start}, Value{Time: now.AddDate(0, 0, 30)}
	for name, list := range map[string][]string{
		"ACTION_LIST":       {"Start session", "View password"},
		"DEVICE_LIST":       {"db-01.example.com (192.0.2.10)", "db-02.example.com (192.0.2.11)"},
		"CERT_ENVIRONMENTS": {"Production"}, "CERT_SYSTEMS": {"Shop", "Payment"}, "CERT_TAGS": {"public"},
		"CERT_LIST":   {"www.example.com: 30 days", "api.example.com: 12 days"},
		"DIGEST_LIST": {"09:12 Password viewed: root on db-01", "09:40 Session started: db-02", "10:05 Certificate renewed: www.example.com"},
		"EVENT_DATA":  {"device: db-01.example.com", "user: Maria Silva"},
	} {
		values[name] = Value{List: list}
	}
	for _, link := range []string{"APPROVE", "REJECT", "REQUEST", "OPEN"} {
		values.SetLink(link, "https://orbit.example.com/sample")
	}
	values["URL_ORBIT"], values["REPLY_HINT"] = Value{URL: "https://orbit.example.com/"}, Value{Set: true}
	for _, tag := range t.Tags { // the fields of an own event type
		if _, ok := values[tag.Name]; !ok && tag.Name != "EMERGENCY_HINT" {
			values[tag.Name] = Value{Text: "sample of " + tag.Meaning}
		}
	}
	return values
}
