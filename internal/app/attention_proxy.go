package app

import (
	"context"
	"strings"

	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/proxyhost"
	"orbit/web/page"
	"orbit/web/ui"
)

// proxyAttention is what the bell says of the mail proxy: mailboxes that cannot be used, ports that are not open.
func (o *Orbit) proxyAttention(ctx context.Context) ([]ui.NoticeView, error) {
	grants, err := o.OAuth.Grants(ctx, 0)
	if err != nil {
		return nil, err
	}
	var notices []ui.NoticeView
	for _, g := range grants {
		if g.State == oauth.Failed && g.Fault != nil {
			notices = append(notices, ui.NoticeView{Tone: ui.Bad, Href: page.OAuthProxyPath + "/grants", Text: g.Address + " cannot be used: " + g.Fault.Cause})
		}
	}
	listeners, err := o.Proxies.Statuses(ctx)
	for _, l := range listeners {
		if l.Wanted == proxyhost.Running && (l.State == proxy.Failed || l.State == proxy.Standby) {
			notices = append(notices, ui.NoticeView{Tone: ui.Bad, Href: page.OAuthProxyPath + "/listeners", Text: "Listener " + l.Name + " is not open: " + l.Reason})
		}
	}
	return notices, err
}

// findRegistrations looks through the registrations of the mail proxy.
func (o *Orbit) findRegistrations(ctx context.Context, words string) ([]page.Found, error) {
	stored, err := o.OAuth.List(ctx)
	if err != nil {
		return nil, err
	}
	var found []page.Found
	for _, r := range stored {
		if len(found) < foundAtMost && strings.Contains(strings.ToLower(r.Pattern+"\n"+r.ClientID), strings.ToLower(words)) {
			found = append(found, page.Found{Title: r.Pattern, Where: "OAuth registration", Href: page.RegistrationPath(r.ID), Icon: "shield-lock"})
		}
	}
	return found, nil
}
