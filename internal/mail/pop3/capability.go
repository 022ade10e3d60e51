package pop3

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// maxCapabilities bounds the answer to CAPA; RFC 2449 defines a dozen.
const maxCapabilities = 100

// Capabilities are what a server offers, by upper-case name, with arguments (RFC 2449 5). Nil says that the server
// does not know CAPA.
type Capabilities map[string][]string

// Has reports whether a capability is offered: "TOP", "UIDL", "STLS", "USER", "SASL".
func (c Capabilities) Has(name string) bool {
	_, ok := c[strings.ToUpper(name)]
	return ok
}

// Mechanisms lists the SASL mechanisms, upper case.
func (c Capabilities) Mechanisms() []string { return c["SASL"] }

// Names lists the capabilities in order, for people.
func (c Capabilities) Names() []string {
	names := make([]string, 0, len(c))
	for name := range c {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Capabilities asks what the server offers. It may offer other things after STLS and after the sign-in. A server
// from before RFC 2449 does not know the question: then there is neither an answer nor an error.
func (c *Client) Capabilities(ctx context.Context) (Capabilities, error) {
	_, err := c.ask(ctx, "CAPA", "CAPA")
	var refusal *Error
	if errors.As(err, &refusal) && !refusal.Temporary() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer c.watch(ctx)()
	all := Capabilities{}
	for range maxCapabilities {
		line, err := c.readLine()
		if err != nil {
			return nil, c.end(ctx, err)
		}
		if line == "." {
			return all, nil
		}
		c.options.Trace("server", printable(line))
		all.add(line)
	}
	return nil, c.end(ctx, ErrLineTooLong)
}

// add takes a line; "SASL" may come on several.
func (c Capabilities) add(line string) {
	words := strings.Fields(strings.ToUpper(strings.TrimPrefix(line, ".")))
	if len(words) > 0 {
		c[words[0]] = append(c[words[0]], words[1:]...)
	}
}
