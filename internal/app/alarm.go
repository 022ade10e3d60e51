package app

import (
	"context"
	"fmt"
	"time"

	"orbit/internal/account"
	"orbit/internal/inbox"
	"orbit/internal/notify"
	"orbit/internal/oauth"
	"orbit/web/page"
)

func (o *Orbit) failingMailboxes(ctx context.Context) ([]notify.Event, error) {
	health, err := o.Inbox.Health(ctx, nil)
	if err != nil {
		return nil, err
	}
	rows, _, err := o.Accounts.ListMailboxes(ctx, account.MailboxFilter{})
	var events []notify.Event
	for _, m := range rows {
		h := health[m.ID]
		if h.State != inbox.Failing || h.Fault == nil || h.Failures < 3 && h.Fault.Temporary {
			continue
		}
		events = append(events, o.alarm("orbit.account_failing", fmt.Sprint("mailbox ", m.ID), h.LastSuccess, map[string]any{
			"subject_name": m.AccountName, "error": h.Fault.Cause, "remedy": h.Fault.Remedy,
		}, mailboxesPath))
	}
	return events, err
}

func (o *Orbit) deadGrants(ctx context.Context) ([]notify.Event, error) {
	grants, err := o.OAuth.Grants(ctx, 0)
	var events []notify.Event
	for _, g := range grants {
		if g.State != oauth.Failed || g.Fault == nil || g.FailedAt == nil {
			continue
		}
		events = append(events, o.alarm("orbit.grant_dead", g.Address, *g.FailedAt, map[string]any{
			"subject_name": g.Address, "error": g.Fault.Cause, "remedy": g.Fault.Remedy,
		}, page.OAuthProxyPath+"/grants"))
	}
	return events, err
}

func (o *Orbit) endingSecrets(ctx context.Context) ([]notify.Event, error) {
	expiring, err := o.OAuth.Expiring(ctx, time.Now())
	var events []notify.Event
	for _, e := range expiring {
		key := fmt.Sprintf("%d/%s/%d", e.RegistrationID, e.Kind, e.Threshold)
		events = append(events, o.alarm("orbit.secret_expiring", key, e.ExpiresAt, map[string]any{
			"subject_name": e.Pattern, "error": e.Text(), "days_left": e.Days, "validity_end": e.ExpiresAt.UTC().Format(time.RFC3339),
		}, page.OAuthProxyPath))
	}
	return events, err
}
