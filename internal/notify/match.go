package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// target is a contact or a webhook of a rule that names an event's type.
type target struct {
	Rule      Rule
	Contact   Contact // zero: a webhook's
	WebhookID int64
	Webhook   string // its name
	Group     string // through which group the contact is in the rule; empty: itself
}

// verdict is whether and how a target is told.
type verdict struct {
	target  target
	channel Channel
	why     string    // a sentence
	told    bool      // or not
	held    time.Time // until then; zero: at once
}

// match decides for each target and channel. Whoever is in several rules is told once: at once, if one rule
// says so.
func match(p *posting, targets []target, now time.Time) []verdict {
	var all []verdict
	best := map[string]int{} // by channel and address, the place in all
	for _, t := range targets {
		for _, v := range consider(p.event, t, now) {
			i, known := best[v.key()]
			switch {
			case !v.told:
			case !known:
				best[v.key()] = len(all)
			case v.sooner(all[i]):
				all[i].told, all[i].why = false, "Told sooner by the rule "+t.Rule.Name+"."
				best[v.key()] = len(all)
			default:
				v.told, v.why = false, "Told already by the rule "+all[i].target.Rule.Name+"."
			}
			all = append(all, v)
		}
	}
	return all
}

func (v verdict) key() string {
	switch v.channel {
	case Screen:
		return fmt.Sprint("screen ", v.target.Contact.UserID)
	case ByWebhook:
		return fmt.Sprint("webhook ", v.target.WebhookID)
	case Email:
	}
	return "email " + strings.ToLower(v.target.Contact.Email)
}

func (v verdict) sooner(than verdict) bool {
	return v.held.IsZero() && !than.held.IsZero() || !v.held.IsZero() && v.held.Before(than.held)
}

// consider gives a verdict for each channel of a rule.
func consider(e Event, t target, now time.Time) []verdict {
	var all []verdict
	add := func(channel Channel, refusal string) {
		v := verdict{target: t, channel: channel, told: refusal == "", why: refusal}
		if v.told {
			v.why = "The rule " + t.Rule.Name + " names this event" + through(t) + "."
		}
		if v.told && channel == Email {
			v.held = hold(t.Rule.RuleSettings, zone(t.Contact.TimeZone), now)
		}
		all = append(all, v)
	}
	common := refuseAny(e, t)
	if t.WebhookID != 0 {
		if t.Rule.ByWebhook {
			add(ByWebhook, common)
		}
		return all
	}
	if t.Rule.ByEmail {
		add(Email, first(common, refuseEmail(t.Contact)))
	}
	if t.Rule.OnScreen {
		add(Screen, first(common, refuseScreen(t.Contact)))
	}
	return all
}

func through(t target) string {
	switch {
	case t.Group != "":
		return " and the group " + t.Group
	case t.WebhookID != 0:
		return " and the webhook " + t.Webhook
	}
	return " and this contact"
}

// refuseAny says why a rule tells nobody, or not this contact, by no channel.
func refuseAny(e Event, t target) string {
	switch {
	case !t.Rule.Active:
		return "The rule " + t.Rule.Name + " is disabled."
	case t.WebhookID != 0:
		return ""
	case !t.Contact.Active:
		return "The contact is disabled."
	case t.Rule.OnlyContactsWithAccess && e.Access == nil:
		return "The rule " + t.Rule.Name + " tells only contacts who have access, and the event does not say who has."
	case t.Rule.OnlyContactsWithAccess && !hasAccess(e.Access, t.Contact):
		return "The contact has no access to what the event is about."
	}
	return ""
}

func refuseEmail(c Contact) string {
	switch {
	case c.Email == "":
		return "The contact has no e-mail address."
	case c.BouncedAt != nil:
		return "Mail to " + c.Email + " came back for good: " + c.BounceText
	}
	return ""
}

func refuseScreen(c Contact) string {
	if c.UserID == 0 {
		return "The contact is no user of Orbit, so there is no screen."
	}
	return ""
}

func hasAccess(access []string, c Contact) bool {
	return slices.ContainsFunc(access, func(who string) bool {
		return who != "" && (strings.EqualFold(who, c.Email) || strings.EqualFold(who, c.Username))
	})
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// zone is where a contact lives; a name that this machine does not know is UTC.
func zone(name string) *time.Location {
	location, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return location
}
