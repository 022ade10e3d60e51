package corpus

var english = Language{
	Code: "en", Name: "Grace Holloway", First: "Grace", Address: "grace.holloway@harbour.example.com", Domain: "harbour.example.com",
	Card: []string{"Grace Holloway", "Head of Infrastructure | Harbour Freight Lines", "+44 20 5550 0142"}, Closing: "Kind regards,",
	Re: "RE: ", Fwd: "FW: ", Subject: "Access request S000217: root on db-prod-02",
	Notice: []string{
		"Hello Grace,", "", "Tomas Reed asks for access to db-prod-02 with the credential root, from 3 March 2025 11:00 to 12:00 (UTC).",
		"Reason: restart the replication after the storage change.", "", "Open the request: https://orbit.example.com/decide/2f6k", "Or answer this mail with APPROVE or REJECT as its first line.", "", "Orbit, notification centre",
	},
	Answers: []Answer{
		{"APPROVE", "approve"},
		{"Approve.\n\nPlease be done before noon, the auditors come at one.", "approve"},
		{"reject\n\nThe change window is closed until Thursday.", "reject"},
		{"I would approve this if the ticket number were right. Could you check?", ""},
		{"Disapprove!", "reject"},
		{"Please do not approve anything for Tomas today, he is on a plane.", ""},
		{"APPROVE\nfor one hour only", "approve"},
		{"Approved, thanks Tomas.", ""},
		{"\"APPROVE\"", "approve"},
		{"Which storage change? I know of none.\n\nLet us talk at ten.", ""},
		{"REJECT\n\nUse the read-only account instead.", "reject"},
		{"approve?", ""},
		{"Ok with me, but ask Nadia as well.", ""},
	},
	On: On{
		Gmail: "On Mon, Mar 3, 2025 at 10:12 AM Orbit <notifications@orbit.example.com> wrote:", Apple: "On 3 Mar 2025, at 10:12, Orbit <notifications@orbit.example.com> wrote:",
		Thunderbird: "On 03/03/2025 10:12, Orbit wrote:", Yahoo: "On Monday, March 3, 2025 at 10:12:33 AM GMT, Orbit <notifications@orbit.example.com> wrote:",
		Roundcube: "On 2025-03-03 10:12, Orbit wrote:", Proton: "On Monday, March 3rd, 2025 at 10:12 AM, Orbit <notifications@orbit.example.com> wrote:",
	},
	Labels: Labels{"From", "Sent", "To", "Subject", "Monday, March 3, 2025 10:12 AM"}, Original: "Original message",
	IPhone: "Sent from my iPhone", OutlookMobile: "Get Outlook for iOS", YahooPhone: "Sent from Yahoo Mail on Android",
	Disclaimer: "This e-mail and any attachments are confidential and intended only for the person named above. If you received it in error, please delete it.",
	Away: Away{
		"Automatic reply: ", "Out of office: ",
		"Thank you for your message. I am out of the office until Monday, 10 March, with limited access to my e-mail.\n\nIn urgent cases please write to Nadia Brook, nadia.brook@harbour.example.com.\n\nGrace Holloway",
	},
	Read: Read{"Read: ", "Your message was displayed on the recipient's screen. There is no guarantee that it has been read or understood.", "Your message\n\n   To: Grace Holloway\n   Subject: %s\n   Sent: Monday, March 3, 2025 10:12:33 AM (UTC)\n\n was read on Monday, March 3, 2025 10:40:02 AM (UTC)."},
	Undelivered: Undelivered{
		"Undeliverable: ", "Your message to grace.holloway@harbour.example.com couldn't be delivered.", "grace.holloway wasn't found at harbour.example.com.", "Original Message Headers",
	},
}
