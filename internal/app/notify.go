package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/inbox"
	"orbit/internal/mail/reply"
	"orbit/internal/notify"
)

// assembleNotify builds what tells people.
func (o *Orbit) assembleNotify() (err error) {
	o.Notify, err = notify.New(notify.Options{
		Pool: o.Pool, Accounts: o.Accounts, Settings: o.Settings, Box: o.Box, BaseURL: o.Config.BaseURL,
		Client: o.Connectors.HTTPClient, Log: o.Log, Version: Version,
		Unreachable: func(ctx context.Context, tx pgx.Tx, requestID int64, address, why string) error {
			return o.Approvals.Bounced(ctx, tx, requestID, address, why)
		},
	})
	return err
}

// signs writes what comes back about our messages on their time lines: bounces, delays and receipts.
type signs struct{ *notify.Service }

// Concerns implements inbox.Chooser.
func (signs) Concerns(m reply.Message) bool { return m.Bounce != nil || m.Receipt != nil }

// Handle implements inbox.Handler.
func (s signs) Handle(ctx context.Context, tx pgx.Tx, r inbox.Received) (string, bool, error) {
	named := messageIDs(append([]string{r.Read.Original}, append(r.Read.InReplyTo, r.Read.References...)...))
	var all []notify.Sign
	switch {
	case r.Read.Bounce != nil:
		named = append(messageIDs([]string{r.Read.Bounce.MessageID}), named...)
		for _, recipient := range r.Read.Bounce.Recipients {
			all = append(all, bounceSign(recipient, named))
		}
	case r.Read.Receipt != nil:
		named = append(messageIDs([]string{r.Read.Receipt.MessageID}), named...)
		all = append(all, notify.Sign{MessageIDs: named, Recipient: r.Read.Receipt.Recipient, Kind: notify.ReceiptNote, Text: "Receipt: " + r.Read.Receipt.Disposition})
	}
	var noted []string
	for _, sign := range all {
		id, err := s.SignTx(ctx, tx, sign)
		if err != nil {
			return "", false, err
		}
		if id != 0 {
			noted = append(noted, fmt.Sprintf("Noted on message %d.", id))
		}
	}
	return strings.Join(noted, " "), len(noted) > 0, nil
}

// bounceSign is what a bounce says of one address. Only a status about the address itself marks its contact.
func bounceSign(r reply.Recipient, named []string) notify.Sign {
	sign := notify.Sign{MessageIDs: named, Recipient: r.Address, Kind: notify.BounceNote, Text: strings.TrimSpace(r.Status + " " + r.Diagnostic)}
	switch r.Action {
	case reply.Failed:
		sign.Permanent = notify.NoSuchAddress(r.Status)
		sign.Text = "Came back: " + sign.Text
	case reply.Delayed:
		sign.Kind, sign.Text = notify.DelayNote, "Delayed: "+sign.Text
	case reply.Delivered, reply.Relayed, reply.Expanded:
		sign.Kind, sign.Text = notify.ReceiptNote, "Delivered on the way: "+sign.Text
	}
	return sign
}

// messageIDs puts ids into the form in which they were sent.
func messageIDs(bare []string) []string {
	var ids []string
	for _, id := range bare {
		if id != "" {
			ids = append(ids, "<"+id+">")
		}
	}
	return ids
}

// alarmEvery is how often Orbit looks at itself.
const alarmEvery = 30 * time.Second

// watchItself posts events about what does not work in Orbit: mailboxes, authorisations, secrets that end. Each has a
// key that says since when, so that it is told once, whichever process looks first. Accounts that send tell of
// themselves.
func (o *Orbit) watchItself(ctx context.Context) error {
	tick := time.NewTicker(alarmEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, look := range []func(context.Context) ([]notify.Event, error){o.failingMailboxes, o.deadGrants, o.endingSecrets} {
			events, err := look(ctx)
			for _, e := range events {
				if err == nil {
					_, err = o.Notify.Post(ctx, e)
				}
			}
			if err != nil && ctx.Err() == nil {
				o.Log.WarnContext(ctx, "look at what does not work", "error", err)
			}
		}
	}
}

// alarm is an event about Orbit itself.
func (o *Orbit) alarm(kind, key string, since time.Time, data map[string]any, page string) notify.Event {
	data["url_open"] = o.Config.BaseURL.JoinPath(page).String()
	return notify.Event{Type: kind, IdempotencyKey: fmt.Sprintf("%s/%s/%d", kind, key, since.Unix()), Data: data}
}
