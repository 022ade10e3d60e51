package proxyhost

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/mail/dial"
	"orbit/internal/oauth"
	"orbit/internal/oauth/plan"
	"orbit/internal/problem"
)

// Applied is what a plan became.
type Applied struct {
	Registrations []oauth.Registration `json:"registrations"`
	Listeners     []Listener           `json:"listeners"`
	Notes         []oauth.Note         `json:"notes,omitempty"`
	Warnings      []string             `json:"warnings,omitempty"` // about the listeners, "IMAP-2993: ..."
}

// Apply creates the registrations and listeners of a plan, all of them or none. What is there already is
// replaced only with Force; without it a *problem.Confirm says what that would be. A listener that is there
// exactly as planned is used as it is: several registrations share one.
func (s *Service) Apply(ctx context.Context, p plan.Plan) (Applied, error) {
	if err := p.Problems.Err(); err != nil {
		return Applied{}, err
	}
	registered, err := s.oauth.List(ctx)
	if err != nil {
		return Applied{}, err
	}
	a := application{Service: s, plan: p, registered: registered}
	err = s.changing(ctx, func(tx pgx.Tx, all []Listener) error {
		a.listening = all
		if err := a.confirm(); err != nil {
			return err
		}
		return a.store(ctx, tx)
	})
	if err != nil {
		return Applied{}, err
	}
	a.done.Notes = p.Notes
	for _, l := range a.done.Listeners {
		for _, warning := range l.warnings() {
			a.done.Warnings = append(a.done.Warnings, l.Name+": "+warning)
		}
	}
	return a.done, nil
}

// Preview says what Apply would ask before it stores a plan: nil, or a *problem.Confirm with what is there already.
// Nothing is stored.
func (s *Service) Preview(ctx context.Context, p plan.Plan) error {
	registered, err := s.oauth.List(ctx)
	if err != nil {
		return err
	}
	listening, err := s.List(ctx)
	if err != nil {
		return err
	}
	a := application{Service: s, plan: p, registered: registered, listening: listening}
	return a.confirm()
}

// application is a plan on its way into the tables.
type application struct {
	*Service
	plan       plan.Plan
	registered []oauth.Registration
	listening  []Listener
	done       Applied
}

func (a *application) store(ctx context.Context, tx pgx.Tx) error {
	for _, l := range a.plan.Listeners {
		stored, err := a.storeListener(ctx, tx, planned(l).Normalise())
		if err != nil {
			return err
		}
		a.done.Listeners = append(a.done.Listeners, stored)
		if a.listening, err = selectListeners(ctx, tx); err != nil {
			return err
		}
	}
	for _, r := range a.plan.Registrations {
		stored, err := a.storeRegistration(ctx, tx, r)
		if err != nil {
			return err
		}
		a.done.Registrations = append(a.done.Registrations, stored)
	}
	return nil
}

func (a *application) storeListener(ctx context.Context, tx pgx.Tx, s Settings) (Listener, error) {
	there, found := a.portOwner(s)
	switch {
	case !found:
		return a.createIn(ctx, tx, a.listening, Change{Settings: s})
	case !alike(there.Settings, s):
		return a.saveIn(ctx, tx, a.listening, there, Change{Settings: replaced(there.Settings, s), Wanted: Running})
	case there.Wanted == Stopped:
		there.Wanted = Running
		if err := updateWanted(ctx, tx, there.ID, Running, 0); err != nil {
			return Listener{}, err
		}
		return there, record(ctx, tx, "started", there, nil)
	}
	return there, nil
}

func (a *application) storeRegistration(ctx context.Context, tx pgx.Tx, r plan.Registration) (oauth.Registration, error) {
	c := r.Change()
	there, found := a.patternOwner(r)
	if !found {
		return a.oauth.CreateIn(ctx, tx, c)
	}
	c.UseNetworkConnector, c.NetworkConnectorID = there.UseNetworkConnector, there.NetworkConnectorID
	c.ProxyListenerID = there.ProxyListenerID
	return a.oauth.ReplaceIn(ctx, tx, there.ID, c)
}

// replaced is what a plan wants with what plans cannot say as it was. A certificate belongs to one server.
func replaced(there, wanted Settings) Settings {
	wanted.Name, wanted.ProxyProtocol = there.Name, there.ProxyProtocol
	wanted.UseNetworkConnector, wanted.NetworkConnectorID = there.UseNetworkConnector, there.NetworkConnectorID
	if there.ServerAddress == wanted.ServerAddress && wanted.CertificateRule == dial.Verify {
		wanted.CertificateRule, wanted.CertificateFingerprint, wanted.CertificateCA =
			there.CertificateRule, there.CertificateFingerprint, there.CertificateCA
	}
	return wanted
}

// portOwner is the listener that stands in the way of another.
func (a *application) portOwner(s Settings) (Listener, bool) {
	for _, l := range a.listening {
		if l.collides(s) {
			return l, true
		}
	}
	return Listener{}, false
}

func (a *application) patternOwner(r plan.Registration) (oauth.Registration, bool) {
	for _, there := range a.registered {
		if there.Pattern == oauth.Normal(r.Pattern) {
			return there, true
		}
	}
	return oauth.Registration{}, false
}

// alike reports whether a listener does what a plan wants; what plans cannot say, or this one does not, may differ.
func alike(there, wanted Settings) bool {
	a, b := there.Plan(), wanted.Plan()
	if wanted.CertificateRule == dial.Verify {
		a.ServerCA, a.ServerPin = "", ""
	}
	return a == b && (there.ServerSecurity == wanted.ServerSecurity) && there.LocalSecurity == wanted.LocalSecurity
}

// confirm says what a plan would replace, unless that was asked for.
func (a *application) confirm() error {
	if a.plan.Force {
		return nil
	}
	var there []string
	for _, r := range a.plan.Registrations {
		if old, found := a.patternOwner(r); found {
			there = append(there, fmt.Sprintf("%s is registered already with client id %s, since %s%s",
				old.Pattern, old.ClientID, old.CreatedAt.UTC().Format("2006-01-02 15:04 MST"), by(old.CreatedBy)))
		}
	}
	for _, l := range a.plan.Listeners {
		s := planned(l).Normalise()
		if old, found := a.portOwner(s); found && !alike(old.Settings, s) {
			there = append(there, fmt.Sprintf("%s listens on %s already and leads to %s", old.Name, old.Local(), old.Server()))
		}
	}
	if len(there) == 0 {
		return nil
	}
	return &problem.Confirm{Name: "force", Text: strings.Join(there, "; ") +
		". Nothing was changed. Use --force to replace it; what was authorised stays valid while token URL, client id, scope and flow stay the same."}
}

func by(name string) string {
	if name == "" {
		return ""
	}
	return " by " + name
}
