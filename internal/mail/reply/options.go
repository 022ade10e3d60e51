package reply

import (
	"orbit/internal/mail/reply/parts"
)

// Options say what the reader knows of its own sending. The zero value reads everything and finds no replies.
type Options struct {
	// Sent reports whether Orbit sent the message with that Message-ID. It is asked for a few dozen ids at most.
	Sent func(messageID string) bool
	// Token finds Orbit's token in addresses, message ids, the subject and the text, in that order; "" is none.
	Token func(text string) string
	// Own reports whether an address is one that Orbit sends from: its messages are never answered.
	Own func(address string) bool
	// AuthservID is the only server whose Authentication-Results count. NoAuthservID trusts the topmost field if
	// it names no server, as Microsoft 365 writes it. Empty trusts none.
	AuthservID string
	// Excerpt is for who stores mail and shows it later: of a message that answers none so much text is read to find
	// what is new in it, and Body and HTML stay empty. 0: all is read.
	Excerpt int
	Limits  Limits
}

// NoAuthservID stands for the id of a provider that writes none.
const NoAuthservID = "-"

// Limits bound what one message may cost. Zero values mean the defaults.
type Limits struct {
	parts.Limits
	Text int // bytes kept of all plain text (256 kB)
	HTML int // bytes kept of all HTML (1 MB)
}

func (l Limits) orDefault() Limits {
	if l.Text <= 0 {
		l.Text = 256 << 10
	}
	if l.HTML <= 0 {
		l.HTML = 1 << 20
	}
	return l
}

func (o Options) sent(id string) bool     { return o.Sent != nil && id != "" && o.Sent(id) }
func (o Options) own(address string) bool { return o.Own != nil && address != "" && o.Own(address) }

// find returns the token in the text.
func (o Options) find(text string) string {
	if o.Token == nil {
		return ""
	}
	return o.Token(text)
}
