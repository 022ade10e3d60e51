package explain

import (
	"regexp"
	"strconv"
	"strings"

	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
)

// enhancedCode finds an RFC 3463 status code at the start of a reply's text.
var enhancedCode = regexp.MustCompile(`^\s*([245]\.\d{1,3}\.\d{1,3})(?:\s|$)`)

// addresses are left out of what is matched: blacklist@example.com is a mailbox, not a reason.
var addresses = regexp.MustCompile(`[^\s<>]+@[^\s<>]+`)

// SMTP explains a reply of an SMTP server at a step. The enhanced status code may be empty; then it is
// looked for in the text.
func SMTP(step ladder.Name, code int, enhanced, text string, c Context) ladder.Fault {
	if m := enhancedCode.FindStringSubmatch(text); m != nil {
		if enhanced == "" {
			enhanced = m[1]
		}
		if enhanced == m[1] {
			text = text[len(m[0]):]
		}
	}
	if c.Protocol == "" {
		c.Protocol = "SMTP"
	}
	r := c.reply(step, strconv.Itoa(code), text)
	r.enhanced = enhanced
	f := find(smtpEntries, r).fault(c.values())
	f.Temporary = f.Temporary || code/100 == 4
	f.Reply = smtpReply(code, enhanced, text)
	return f
}

func smtpReply(code int, enhanced, text string) string {
	words := make([]string, 0, 3)
	if code != 0 {
		words = append(words, strconv.Itoa(code))
	}
	if enhanced != "" {
		words = append(words, enhanced)
	}
	return Clean(strings.Join(append(words, text), " "))
}

// reply prepares a server's words for matching.
func (c Context) reply(step ladder.Name, code, text string) reply {
	lower := strings.ToLower(text)
	return reply{
		provider: c.providerOf(lower), step: step, code: code, text: addresses.ReplaceAllString(lower, ""),
		oauth: c.OAuth || c.AppOnly, appOnly: c.AppOnly,
	}
}

// providerOf names who answered. Behind a relay, a connector or the own proxy the host does not tell, but
// large providers sign their replies.
func (c Context) providerOf(lowerText string) provider.ID {
	if c.Provider != "" && c.Provider != string(provider.Other) {
		return provider.ID(c.Provider)
	}
	if id := provider.ByHost(c.Host); id != provider.Other {
		return id
	}
	for _, s := range signatures {
		if strings.Contains(lowerText, s.text) {
			return s.id
		}
	}
	return provider.Other
}

var signatures = []struct {
	text string
	id   provider.ID
}{
	{".prod.outlook.com", provider.Microsoft365},
	{"aka.ms/", provider.Microsoft365},
	{"storedrv", provider.Microsoft365},
	{"gsmtp", provider.Google},
	{"support.google.com", provider.Google},
	{"sendgrid", provider.SendGrid},
	{"amazon", provider.SES},
	{"mailgun", provider.Mailgun},
	{"postmark", provider.Postmark},
	{"zoho", provider.Zoho},
	{"fastmail", provider.Fastmail},
	{"yahoo", provider.Yahoo},
}
