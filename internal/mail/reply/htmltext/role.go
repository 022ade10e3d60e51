package htmltext

import (
	"strings"

	"golang.org/x/net/html/atom"
)

// role is what an element means in a mail program's own way of answering.
type role int

const (
	content role = iota
	quotation
	attribution
	older     // an older message without marks of its own starts here
	signature // the writer's card
)

// Ids and classes are looked up in lower case, without the "x_" that Outlook puts before those of older mails.
var roles = map[string]role{
	// Outlook on the web, new Outlook, Outlook mobile, Outlook for Mac
	"appendonsend": older, "divrplyfwdmsg": older, "mail-editor-reference-message-container": older, "ms-outlook-mobile-reference-message": older,
	"olk_src_body_section": older, "mac_outlook_body_section": older, "ms-outlook-mobile-signature": signature, "outlooksignature": signature,
	// Gmail
	"gmail_attr": attribution, "gmail_signature": signature,
	// Thunderbird, Roundcube
	"moz-cite-prefix": attribution, "moz-forward-container": older, "moz-signature": signature, "reply-intro": attribution,
	// Yahoo, AOL
	"yahoo_quoted": older, "aolmail_quote": older,
	// Apple Mail, Proton Mail, Zimbra, Zoho, web.de and GMX
	"applemailsignature": signature, "protonmail_quote": older, "protonmail_signature_block": signature, "zwchr": older, "zmail_extra": older, "signature": signature,
}

func (e attrs) role(tag atom.Atom) role {
	if tag == atom.Blockquote {
		return quotation
	}
	if e.name == "quote" && tag == atom.Div || strings.EqualFold(e.kind, "cite") {
		return older
	}
	if r := roleOf(e.id); r != content {
		return r
	}
	for _, class := range e.classes {
		if r := roleOf(class); r != content && !(tag == atom.Body) {
			return r
		}
	}
	return content
}

func roleOf(name string) role {
	if name == "" {
		return content
	}
	name = strings.ToLower(name)
	for strings.HasPrefix(name, "x_") {
		name = name[2:]
	}
	if r, known := roles[name]; known {
		return r
	}
	if strings.HasPrefix(name, "yahoo_quoted") || strings.HasPrefix(name, "ydp") && strings.HasSuffix(name, "yahoo_quoted") {
		return older
	}
	return content
}
