package explain

import "orbit/internal/mail/ladder"

var imapEntries = []Entry{
	{
		Code: "imap_refused", Group: GroupIMAP, Seen: "NO (any other refusal)",
		Cause:  "{host} refused the request.",
		Who:    ladder.ServerAdmin,
		Remedy: "Ask the administrator of {host} with the reply and the time.",
	},
}

var pop3Entries = []Entry{
	{
		Code: "pop3_refused", Group: GroupPOP3, Seen: "-ERR (any other refusal)",
		Cause:  "{host} refused the request.",
		Who:    ladder.ServerAdmin,
		Remedy: "Ask the administrator of {host} with the reply and the time.",
	},
}
