package proxy

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"

	"orbit/internal/vault"
)

// attempt is a sign-in that a client tries.
type attempt struct {
	username string
	password vault.Secret // any octets but NUL
}

// complete reports whether there is something to check at all.
func (a attempt) complete() bool { return a.username != "" && !a.password.IsZero() }

// front speaks one protocol with a client until it has signed in.
type front interface {
	// greet sends the first line.
	greet() error
	// next answers commands until one tries to sign in. errQuit: the client has taken its leave.
	next(ctx context.Context) (attempt, error)
	// welcome answers the sign-in that succeeded. It returns when everything that follows may pass untouched.
	welcome(*server) error
	// refuse answers the sign-in that failed. An error ends the session.
	refuse(*Refusal) error
	// farewell tells the client why the session ends without its doing.
	farewell(why error)
}

func newFront(c *client) front {
	switch c.listener.Protocol {
	case POP3:
		return &pop3Front{client: c}
	case SMTP:
		return &smtpFront{c}
	case IMAP:
	}
	return &imapFront{client: c}
}

// mechanisms are the SASL mechanisms that clients may use, in the order in which they are offered.
var mechanisms = []string{"PLAIN", "LOGIN"}

// exchange runs the server's side of a SASL sign-in: PLAIN (RFC 4616) or LOGIN (draft-murchison-sasl-login).
// The initial response is "" when there is none; prompt is what stands before a challenge.
func (c *client) exchange(mechanism, initial, prompt string) (attempt, error) {
	switch strings.ToUpper(mechanism) {
	case "PLAIN":
		message, err := c.respond(initial, prompt, "")
		if err != nil {
			return attempt{}, err
		}
		return parsePlain(message), nil
	case "LOGIN":
		username, err := c.respond(initial, prompt, "Username:")
		if err != nil {
			return attempt{}, err
		}
		password, err := c.respond("", prompt, "Password:")
		return attempt{username: string(username), password: vault.NewSecret(string(password))}, err
	}
	return attempt{}, errMechanism
}

// respond returns the decoded initial response, or asks for one.
func (c *client) respond(initial, prompt, challenge string) ([]byte, error) {
	if initial == "" {
		if err := c.say("%s%s", prompt, base64.StdEncoding.EncodeToString([]byte(challenge))); err != nil {
			return nil, err
		}
		line, err := c.readLine(maxSASL)
		if err != nil {
			return nil, err
		}
		initial = string(line)
		if initial == "" {
			return nil, nil // an empty response; "=" stands for it only with the command
		}
	}
	if initial == "*" {
		return nil, errCancelled
	}
	response, err := decode64(initial)
	if err != nil {
		return nil, errBase64
	}
	return response, nil
}

// parsePlain takes [authzid] NUL authcid NUL password apart. The identity to act as is ignored, as
// administrators know it: the credential decides the mailbox. What is malformed is an incomplete attempt.
func parsePlain(message []byte) attempt {
	parts := bytes.Split(message, []byte{0})
	if len(parts) != 3 {
		return attempt{}
	}
	return attempt{username: string(parts[1]), password: vault.NewSecret(string(parts[2]))}
}
