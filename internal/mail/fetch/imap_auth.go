package fetch

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/sasl"
)

// maxRounds bounds an exchange; no mechanism has more than three.
const maxRounds = 8

// errExchange marks a mechanism that could not go on.
var errExchange = fmt.Errorf("%w: the sign-in could not be completed", errMalformed)

// authenticate drives a mechanism to the server's tagged reply (RFC 9051 6.2.2). go-imap answers an XOAUTH2 refusal
// with "=" where an empty line is due, and leaves the exchange open when a mechanism has no more to say.
func (d *imapDoor) authenticate(ctx context.Context, client sasl.Client) (string, error) {
	defer func() { d.wire.hush = nil }()
	mechanism, initial, err := client.Start()
	if err != nil {
		return "", errors.Join(errExchange, err)
	}
	d.known = false // the sign-in changes what is offered (RFC 9051 6.2.2)
	tag, pending, err := d.beginAuth(ctx, mechanism, initial)
	if err != nil {
		return "", err
	}
	for range maxRounds {
		r, err := d.next(ctx, tag)
		if err != nil || r.tag != "+" {
			return r.text, err
		}
		answer := pending
		if pending == nil {
			if answer, err = nextStep(client, r.text); err != nil {
				return "", d.cancel(ctx, tag, err)
			}
		}
		pending = nil
		d.wire.expect(d.server.Timeouts.Command)
		if err := d.lost(d.wire.put(ladder.From(ctx), d.payload(answer), "[secret]")); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%w: the server asks without end", errExchange)
}

// beginAuth sends AUTHENTICATE, with the initial response where the server takes it (RFC 4959).
func (d *imapDoor) beginAuth(ctx context.Context, mechanism string, initial []byte) (tag string, pending []byte, err error) {
	command := "AUTHENTICATE " + mechanism
	if initial == nil || !d.offer.has("SASL-IR") {
		tag, err = d.begin(ctx, command, command)
		return tag, initial, err
	}
	payload := d.payload(initial)
	if payload == "" {
		payload = "="
	}
	tag, err = d.begin(ctx, command+" "+payload, command+" [secret]")
	return tag, nil, err
}

// nextStep decodes a challenge and lets the mechanism answer it. Some servers send LOGIN's questions in clear text.
func nextStep(client sasl.Client, challenge string) ([]byte, error) {
	decoded, err := base64.StdEncoding.DecodeString(challenge)
	if err != nil {
		decoded = []byte(challenge)
	}
	return client.Next(decoded)
}

// cancel ends an exchange that cannot go on (RFC 9051 6.2.2). A false proof stays what it is.
func (d *imapDoor) cancel(ctx context.Context, tag string, reason error) error {
	d.wire.expect(d.server.Timeouts.Quit)
	if d.wire.put(ladder.From(ctx), "*", "*") == nil {
		_, _ = d.next(ctx, tag)
	}
	if errors.Is(reason, sasl.ErrServerProof) {
		return reason
	}
	return errors.Join(errExchange, reason)
}

func (d *imapDoor) payload(answer []byte) string {
	text := base64.StdEncoding.EncodeToString(answer)
	d.wire.keepQuiet(text)
	return text
}

// methods is the LOGIN command, where it is not disabled (RFC 9051 6.2.3).
func (d *imapDoor) methods() []method {
	if d.offer.has("LOGINDISABLED") {
		return nil
	}
	return []method{{name: "LOGIN command", readable: true, run: d.login}}
}

func (d *imapDoor) login(ctx context.Context) (string, error) {
	defer func() { d.wire.hush = nil }()
	username, password := d.server.Auth.Username, reveal(d.server.Auth.Password)
	d.wire.keepQuiet(password)
	d.known = false
	d.tags++
	tag := fmt.Sprintf("o%d", d.tags)
	ladder.From(ctx).Record("orbit", explain.Clean(tag+" LOGIN "+username+" [secret]"))
	for i, part := range loginCommand(tag, username, password) {
		if i > 0 {
			if r, err := d.next(ctx, tag); err != nil || r.tag != "+" {
				return "", cmp.Or(err, errMalformed)
			}
		}
		d.wire.expect(d.server.Timeouts.Command)
		if err := d.lost(d.wire.send(part)); err != nil {
			return "", err
		}
	}
	r, err := d.finish(ctx, tag)
	return r.text, err
}
