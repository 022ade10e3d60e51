package pop3

import (
	"cmp"
	"context"
	"crypto/md5" // APOP is defined with it
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/emersion/go-sasl"
)

const (
	maxCommand = 255 // RFC 2449 4, with the line's end: a longer initial response waits for the server's empty challenge
	maxRounds  = 8   // no mechanism has more than three
)

// ErrSASL marks a mechanism that could not go on; the server was told, and the session can.
var ErrSASL = errors.New("the sign-in could not be completed")

// errRounds says that the server asks without end.
var errRounds = errors.New("the server does not come to an end of the sign-in")

// Login signs in with USER and PASS (RFC 1939 7) and returns the server's word. The password crosses the
// connection as it is. An error may be the answer to either command: servers hide which of the two was wrong.
func (c *Client) Login(ctx context.Context, username, password string) (string, error) {
	if _, err := c.ask(ctx, "USER "+username, "USER "+username); err != nil {
		return "", err
	}
	defer c.keepQuiet(password)()
	return c.ask(ctx, "PASS "+password, "PASS [secret]")
}

// OffersAPOP reports whether the greeting had the timestamp that APOP needs.
func (c *Client) OffersAPOP() bool { return c.stamp != "" }

// APOP signs in with a digest of the greeting's timestamp and a secret (RFC 1939 7). The secret does not cross the
// connection, but MD5 protects it poorly: a false server can find it (CVE-2007-1558). Prefer anything over TLS.
func (c *Client) APOP(ctx context.Context, username, secret string) (string, error) {
	if c.stamp == "" {
		return "", &Error{Command: "APOP", Text: "not offered in the greeting"}
	}
	sum := md5.Sum([]byte(c.stamp + secret))
	digest := hex.EncodeToString(sum[:])
	defer c.keepQuiet(digest)()
	return c.ask(ctx, "APOP "+username+" "+digest, "APOP "+username+" [secret]")
}

// Authenticate signs in with a SASL mechanism (RFC 5034) and returns the server's word.
func (c *Client) Authenticate(ctx context.Context, client sasl.Client) (string, error) {
	if err := c.ready(); err != nil {
		return "", err
	}
	mechanism, initial, err := client.Start()
	if err != nil {
		return "", errors.Join(ErrSASL, err)
	}
	defer c.keepQuiet()()
	defer c.watch(ctx)()
	text, err := c.exchange(client, mechanism, initial)
	return text, c.end(ctx, err)
}

// exchange drives a mechanism to the server's final reply (RFC 5034 4).
func (c *Client) exchange(client sasl.Client, mechanism string, initial []byte) (string, error) {
	pending, err := c.beginAuth(mechanism, initial)
	for range maxRounds {
		if err != nil {
			return "", err
		}
		kind, text, err := c.readStatus()
		switch {
		case err != nil:
			return "", err
		case kind == positive:
			return text, nil
		case kind == negative:
			return "", newError("AUTH", text)
		}
		answer := pending
		if pending == nil {
			if answer, err = next(client, text); err != nil {
				return "", c.cancel(err)
			}
		}
		pending = nil
		if err = c.put(c.payload(answer), "[secret]"); err != nil {
			return "", err
		}
	}
	return "", errRounds
}

// beginAuth sends AUTH, with the initial response where it fits; otherwise that is still pending.
func (c *Client) beginAuth(mechanism string, initial []byte) (pending []byte, err error) {
	command := "AUTH " + mechanism
	if initial == nil {
		return nil, c.put(command, command)
	}
	payload := c.payload(initial)
	if len(command)+len(payload)+len(" \r\n") > maxCommand {
		return initial, c.put(command, command)
	}
	return nil, c.put(command+" "+cmp.Or(payload, "="), command+" [secret]")
}

// next decodes a challenge and lets the mechanism answer it.
func next(client sasl.Client, challenge string) ([]byte, error) {
	decoded, err := base64.StdEncoding.DecodeString(challenge)
	if err != nil {
		return nil, fmt.Errorf("decode the challenge: %w", err)
	}
	return client.Next(decoded)
}

// cancel ends an exchange that the client cannot go on with (RFC 5034 4).
func (c *Client) cancel(reason error) error {
	if err := c.put("*", "*"); err != nil {
		return err
	}
	if _, _, err := c.readStatus(); err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrSASL, reason)
}

// payload encodes what a mechanism says, and keeps it out of traces and errors should the server quote it.
func (c *Client) payload(answer []byte) string {
	text := base64.StdEncoding.EncodeToString(answer)
	if text != "" {
		c.hush = append(c.hush, text)
	}
	return text
}

// minQuiet is the shortest secret to look for: a shorter one would blot out half of what a server says.
const minQuiet = 4

// keepQuiet hides secrets from traces and errors until the returned function is called.
func (c *Client) keepQuiet(secrets ...string) (done func()) {
	for _, secret := range secrets {
		if len(secret) >= minQuiet {
			c.hush = append(c.hush, secret)
		}
	}
	return func() { c.hush = nil }
}
