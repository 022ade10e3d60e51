package explain

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"unicode"

	"orbit/internal/mail/provider"
)

// values replaces {names} in the dictionary's texts. A value that is not known becomes a description in
// angle brackets, so that a command still shows where something must be filled in.
type values map[string]string

// fill replaces the names in one pass: a value that looks like a {name} stays as it is.
// {ps:name} is the value as a PowerShell literal and {sh:name} as a shell word, both safe to paste.
func (v values) fill(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("{" + rest)
			return b.String()
		}
		b.WriteString(v.value(name))
		text = after
	}
}

func (v values) value(name string) string {
	kind, bare, quoted := strings.Cut(name, ":")
	if !quoted {
		kind, bare = "", name
	}
	text, known := v[bare]
	if !known {
		return "{" + name + "}"
	}
	if text == "" {
		text = "<" + describe(bare) + ">"
	}
	switch kind {
	case "ps":
		return powerShell(text)
	case "sh":
		return shell(text)
	}
	return text
}

// describe turns a name into the words that stand for a missing value.
func describe(name string) string { return strings.ReplaceAll(name, "_", " ") }

// powerShell quotes a value so that nothing in it is interpreted. PowerShell takes typographic quotes for
// apostrophes as well.
func powerShell(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		if strings.ContainsRune("'‘’‚‛", r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	b.WriteByte('\'')
	return b.String()
}

// shell quotes a value for sh where it needs that.
func shell(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:/@%+=[]", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Clean makes a server's words fit to be shown: control characters and invalid UTF-8 become blanks, and
// what is longer than a screen is cut.
func Clean(text string) string {
	const longest = 2000
	text = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	return strings.TrimSpace(text)
}

// inline is Clean on one line, for values inside sentences and commands.
func inline(text string) string { return strings.Join(strings.Fields(Clean(text)), " ") }

func (c Context) values() values {
	v := values{
		"host":             c.Host,
		"port":             number(int64(c.Port)),
		"server":           server(c.Host, c.Port),
		"username":         c.Username,
		"sender":           c.Sender,
		"sender_domain":    domain(c.Sender),
		"recipient":        c.Recipient,
		"recipient_domain": domain(c.Recipient),
		"dmarc_name":       "_dmarc." + domain(c.Sender),
		"mailbox":          c.mailbox(),
		"connect":          provider.CloudOfServer(c.Host).Connect(),
		"resource":         provider.CloudOfServer(c.Host).Resource,
		"offered":          strings.Join(c.Offered, ", "),
		"wanted":           c.Wanted,
		"size":             bytesText(c.Size),
		"max_size":         bytesText(c.MaxSize),
		"client_id":        c.ClientID,
		"who_signs_in":     c.SignedInAs,
		"tenant":           c.TenantID,
		"security":         c.Security.words(),
		"starttls":         c.starttls(),
		"protocol":         c.protocol(),
		"plain_port":       number(int64(plainPort(c.protocol()))),
		"tls_port":         number(int64(implicitPort(c.protocol()))),
		"token_servers":    tokenServers(c.protocol()),
	}
	if c.Offered == nil {
		v["offered"] = "nothing"
	}
	for name, value := range v {
		v[name] = inline(value)
	}
	return v
}

// mailbox is the address that signs in; a provider's API user name is none, then it is the sender.
func (c Context) mailbox() string {
	if strings.Contains(c.Username, "@") {
		return c.Username
	}
	return c.Sender
}

func (c Context) protocol() string {
	if c.Protocol != "" {
		return c.Protocol
	}
	switch c.Port {
	case 143, 993:
		return "IMAP"
	case 110, 995:
		return "POP3"
	}
	return "SMTP"
}

// starttls is what openssl s_client needs to reach TLS on this connection.
func (c Context) starttls() string {
	if c.Security == Implicit {
		return "-brief"
	}
	return "-starttls " + strings.ToLower(c.protocol())
}

func plainPort(protocol string) int {
	switch protocol {
	case "IMAP":
		return 143
	case "POP3":
		return 110
	}
	return 587
}

func implicitPort(protocol string) int {
	switch protocol {
	case "IMAP":
		return 993
	case "POP3":
		return 995
	}
	return 465
}

// tokenServers are the servers that most people mean when they choose OAuth 2.0.
func tokenServers(protocol string) string {
	microsoft, google := provider.Find(provider.Microsoft365), provider.Find(provider.Google)
	switch protocol {
	case "IMAP":
		return microsoft.IMAP.Host + ", " + google.IMAP.Host
	case "POP3":
		return microsoft.POP3.Host + ", " + google.POP3.Host
	}
	return microsoft.SMTP.Host + ", " + google.SMTP.Host
}

// words is how forms name the setting.
func (s Security) words() string {
	switch s {
	case STARTTLS:
		return "STARTTLS"
	case Implicit:
		return "TLS from the start"
	case Plain:
	}
	return "no secure connection"
}

func server(host string, port int) string {
	if host == "" {
		return ""
	}
	if port == 0 {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

func domain(address string) string {
	_, d, _ := strings.Cut(address, "@")
	return d
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// bytesText prints a size as servers' administrators count: 1 MB is 1,000,000 bytes.
func bytesText(n int64) string {
	switch {
	case n <= 0:
		return ""
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
