package pop3

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// maxSkip is how much of a listing or a message is read to get past it; beyond that the connection is given up.
const maxSkip = 1 << 20

// Stat is the mailbox: how many messages, how many octets (RFC 1939 5).
type Stat struct {
	Count int
	Size  int64
}

// Stat asks for both.
func (c *Client) Stat(ctx context.Context) (Stat, error) {
	text, err := c.ask(ctx, "STAT", "STAT")
	if err != nil {
		return Stat{}, err
	}
	count, size, ok := numbers(text)
	if !ok {
		return Stat{}, c.end(ctx, fmt.Errorf("%w: STAT without two numbers", ErrNotPOP3))
	}
	return Stat{Count: count, Size: size}, nil
}

// numbers reads "2 320", and whatever a server adds.
func numbers(text string) (first int, second int64, ok bool) {
	words := strings.Fields(text)
	if len(words) < 2 {
		return 0, 0, false
	}
	first, err1 := strconv.Atoi(words[0])
	second, err2 := strconv.ParseInt(words[1], 10, 64)
	return first, second, err1 == nil && err2 == nil && first >= 0 && second >= 0
}

// Size is a message's line in LIST.
type Size struct {
	Number int // in this session only
	Octets int64
}

// Sizes lists the messages that are not marked as deleted, with their sizes (LIST, RFC 1939 5). Nothing else can be
// asked while the loop runs.
func (c *Client) Sizes(ctx context.Context) iter.Seq2[Size, error] {
	return listing(ctx, c, "LIST", func(line string) (Size, bool) {
		number, octets, ok := numbers(line)
		return Size{Number: number, Octets: octets}, ok
	})
}

// UID is a message's line in UIDL.
type UID struct {
	Number int    // in this session only
	ID     string // the same in every session, and never another message's
}

// UIDs lists the messages with their unique identifiers (UIDL, RFC 1939 7). Nothing else can be asked while the
// loop runs.
func (c *Client) UIDs(ctx context.Context) iter.Seq2[UID, error] {
	return listing(ctx, c, "UIDL", func(line string) (UID, bool) {
		word, id, _ := strings.Cut(line, " ")
		number, err := strconv.Atoi(word)
		id = strings.TrimSpace(id) // RFC 1939 allows 1 to 70 printable characters; some servers write more
		return UID{Number: number, ID: id}, err == nil && number > 0 && id != "" && id == printable(id)
	})
}

// listing streams the lines of a multi-line answer.
func listing[T any](ctx context.Context, c *Client, command string, parse func(string) (T, bool)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if _, err := c.ask(ctx, command, command); err != nil {
			yield(none, err)
			return
		}
		defer c.watch(ctx)()
		c.streams = true
		for {
			line, err := c.readLine()
			if err != nil {
				yield(none, c.end(ctx, err))
				return
			}
			if line == "." {
				c.streams = false
				return
			}
			item, ok := parse(line)
			if !ok {
				yield(none, c.end(ctx, fmt.Errorf("%w: a line of %s", ErrNotPOP3, command)))
				return
			}
			if !yield(item, nil) {
				_ = c.end(ctx, c.skipListing())
				return
			}
		}
	}
}

// skipListing reads to the end of a listing that nobody wants any more.
func (c *Client) skipListing() error {
	for skipped := 0; skipped < maxSkip; {
		line, err := c.readLine()
		if err != nil {
			return err
		}
		if line == "." {
			c.streams = false
			return nil
		}
		skipped += len(line)
	}
	return errStreamOpen
}

// Delete marks a message (DELE, RFC 1939 5). It is gone only after Quit.
func (c *Client) Delete(ctx context.Context, number int) error {
	return c.do(ctx, "DELE "+strconv.Itoa(number))
}

// Reset takes all marks away (RSET, RFC 1939 5).
func (c *Client) Reset(ctx context.Context) error { return c.do(ctx, "RSET") }

// Noop asks whether the server is still there (NOOP, RFC 1939 5).
func (c *Client) Noop(ctx context.Context) error { return c.do(ctx, "NOOP") }

func (c *Client) do(ctx context.Context, command string) error {
	_, err := c.ask(ctx, command, command)
	return err
}
