package web

import (
	"context"
	"net"
	"slices"
	"strconv"

	"orbit/internal/mail/provider"
	"orbit/internal/oauth"
	"orbit/internal/oauth/plan"
	"orbit/internal/oauth/preset"
	"orbit/internal/problem"
	"orbit/internal/proxyhost"
	"orbit/web/page"
)

// newPorts are the local ports that a new registration opens with it.
type newPorts struct {
	OpenIMAP bool `form:"open_imap"`
	OpenSMTP bool `form:"open_smtp"`
	OpenPOP3 bool `form:"open_pop3"`
}

const thisMachine = "127.0.0.1"

// usualPort is a local port that administrators know from the register command.
type usualPort struct {
	field    string
	protocol plan.Protocol
	label    string
	port     int
	open     func(*newPorts) *bool
	server   func(preset.Preset) provider.Server
}

var usualPorts = []usualPort{
	{
		"open_imap", plan.IMAP, "IMAP", 2993, func(p *newPorts) *bool { return &p.OpenIMAP },
		func(p preset.Preset) provider.Server { imap, _, _ := p.Servers(); return imap },
	},
	{
		"open_smtp", plan.SMTP, "SMTP", 2465, func(p *newPorts) *bool { return &p.OpenSMTP },
		func(p preset.Preset) provider.Server { _, _, smtp := p.Servers(); return smtp },
	},
	{
		"open_pop3", plan.POP3, "POP3", 2995, func(p *newPorts) *bool { return &p.OpenPOP3 },
		func(p preset.Preset) provider.Server { _, pop3, _ := p.Servers(); return pop3 },
	},
}

// offeredPorts are the usual ports that no listener has yet.
func (s *Server) offeredPorts(ctx context.Context, chosen newPorts) ([]page.PortOffer, error) {
	there, err := s.Proxies.List(ctx)
	if err != nil {
		return nil, err
	}
	var offers []page.PortOffer
	for _, u := range usualPorts {
		taken := slices.ContainsFunc(there, func(l proxyhost.Listener) bool { return l.LocalPort == u.port })
		if !taken {
			offers = append(offers, page.PortOffer{
				Name: u.field, Label: u.label + " on " + net.JoinHostPort(thisMachine, strconv.Itoa(u.port)), Open: *u.open(&chosen),
			})
		}
	}
	return offers, nil
}

// listeners are the ports that were chosen, with the provider's servers behind them.
func (f registrationForm) listeners() []plan.Listener {
	chosen, _ := preset.Find(f.Preset)
	var all []plan.Listener
	for _, u := range usualPorts {
		server := u.server(chosen)
		if !*u.open(&f.newPorts) || server.Host == "" {
			continue
		}
		all = append(all, plan.Listener{
			Protocol: u.protocol, LocalAddress: thisMachine, LocalPort: u.port,
			ServerAddress: server.Host, ServerPort: server.Port, STARTTLS: server.Security == "tls",
		})
	}
	return all
}

// createWithPorts stores a registration together with the ports that it opens: all of it or nothing.
func (s *Server) createWithPorts(ctx context.Context, f registrationForm, c oauth.Change) (oauth.Registration, []oauth.Note, error) {
	wanted := f.listeners()
	if len(wanted) == 0 {
		return s.OAuth.Create(ctx, c)
	}
	cleaned, notes := c.Clean()
	there, err := s.OAuth.List(ctx)
	if err != nil {
		return oauth.Registration{}, nil, err
	}
	if slices.ContainsFunc(there, func(r oauth.Registration) bool { return r.Pattern == cleaned.Pattern }) {
		return oauth.Registration{}, nil, problem.Invalid{{Name: "pattern", Text: "There is a registration for " + cleaned.Pattern + " already. Edit that one."}}
	}
	done, err := s.Proxies.Apply(ctx, plan.Plan{Registrations: []plan.Registration{{Settings: cleaned, Secret: c.Secret}}, Listeners: wanted})
	if err != nil {
		return oauth.Registration{}, nil, err
	}
	return done.Registrations[0], append(notes, cleaned.Notes()...), nil
}
