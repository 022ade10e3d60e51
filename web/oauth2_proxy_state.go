package web

import (
	"context"
	"time"

	"orbit/internal/oauth"
	"orbit/internal/proxyhost"
	"orbit/web/page"
	"orbit/web/ui"
)

const (
	listenersPath = proxyPath + "/listeners"
	grantsPath    = proxyPath + "/grants"
	proxyLogPath  = proxyPath + "/log"
)

// proxyState is what the pages of the mail proxy tell of each other: what needs attention where.
type proxyState struct {
	grants    []oauth.Grant
	expiring  []oauth.Expiring
	listeners []proxyhost.Status
}

func (s *Server) proxyState(ctx context.Context) (proxyState, error) {
	var state proxyState
	var err error
	if state.grants, err = s.OAuth.Grants(ctx, 0); err != nil {
		return state, err
	}
	if state.expiring, err = s.OAuth.Expiring(ctx, s.Clock()); err != nil {
		return state, err
	}
	state.listeners, err = s.Proxies.Statuses(ctx)
	return state, err
}

func (p proxyState) grantsOf(registration int64) []oauth.Grant {
	var of []oauth.Grant
	for _, g := range p.grants {
		if g.RegistrationID == registration {
			of = append(of, g)
		}
	}
	return of
}

// tabs marks the page at here, and counts what needs attention on the others.
func (p proxyState) tabs(here string) []page.ProxyTab {
	failed, down := 0, 0
	for _, g := range p.grants {
		if g.State == oauth.Failed {
			failed++
		}
	}
	for _, l := range p.listeners {
		if broken(l) {
			down++
		}
	}
	tabs := []page.ProxyTab{
		{Label: "Registrations", Href: proxyPath, Trouble: len(p.expiring)}, {Label: "Listeners", Href: listenersPath, Trouble: down},
		{Label: "Grants", Href: grantsPath, Trouble: failed}, {Label: "Log", Href: proxyLogPath},
	}
	for i := range tabs {
		tabs[i].Here = tabs[i].Href == here
	}
	return tabs
}

// notes are the warnings above the registrations.
func (p proxyState) notes(now time.Time) []ui.NoticeView {
	var notes []ui.NoticeView
	for _, e := range p.expiring {
		tone := ui.Warning
		if e.ExpiresAt.Before(now) || e.Threshold <= 14 {
			tone = ui.Bad
		}
		notes = append(notes, ui.NoticeView{Tone: tone, Text: e.Text(), Href: page.RegistrationPath(e.RegistrationID) + "/secret"})
	}
	return notes
}

// secretEnd is when the secret in use ends; far away when nobody knows.
func secretEnd(r oauth.Registration) time.Time {
	active, ok := r.Active()
	if !ok || active.ExpiresAt == nil {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return *active.ExpiresAt
}
