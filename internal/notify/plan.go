package notify

import (
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/riverqueue/river"

	"orbit/internal/notify/text"
)

// plan is what follows from events: rows to insert and jobs to queue.
type plan struct {
	notifications []newNotification
	deliveries    []newDelivery
	webhooks      []newWebhookMessage
	held          map[heldFor]bool
}

// newNotification is a row of notification.
type newNotification struct {
	eventID, ruleID              int64
	channel                      Channel
	contactID, userID, webhookID int64
	heldUntil                    *time.Time
}

// newDelivery is a row of delivery.
type newDelivery struct {
	eventID, ruleID, contactID, requestID int64
	textType, language, timeZone          string
	recipient, name                       string
	priority                              Priority
	due                                   time.Time // zero: at once
	expires, givesUp                      time.Time
	route                                 int64
	messageID                             string
	confidential                          bool
	values, words, headers                []byte
	replyTo, returnPath, confirmation     string
}

// heldFor names what a job sends at the end of a digest or of quiet hours.
type heldFor struct {
	rule, contact int64
	until         time.Time
}

// add plans what the verdicts on an event say.
func (p *plan) add(from *posting, verdicts []verdict, domain string) {
	for _, v := range verdicts {
		if !v.told {
			continue
		}
		from.accepted.Notifications++
		n := newNotification{eventID: from.accepted.ID, ruleID: v.target.Rule.ID, channel: v.channel}
		switch v.channel {
		case Screen:
			n.contactID, n.userID = v.target.Contact.ID, v.target.Contact.UserID
		case ByWebhook:
			n.webhookID = v.target.WebhookID
			p.webhooks = append(p.webhooks, webhookMessage(from, n.webhookID))
		case Email:
			n.contactID = v.target.Contact.ID
			p.addEmail(from, v, &n, domain)
		}
		p.notifications = append(p.notifications, n)
	}
}

func (p *plan) addEmail(from *posting, v verdict, n *newNotification, domain string) {
	if !v.held.IsZero() {
		n.heldUntil = &v.held
		if p.held == nil {
			p.held = map[heldFor]bool{}
		}
		p.held[heldFor{n.ruleID, n.contactID, v.held}] = true
		return
	}
	from.accepted.Deliveries++
	p.deliveries = append(p.deliveries, eventDelivery(from, v.target, domain, time.Now()))
}

// eventDelivery is the message about one event to one contact. It is rendered when it is sent.
func eventDelivery(from *posting, t target, domain string, now time.Time) newDelivery {
	e := from.event
	d := newDelivery{
		eventID: from.accepted.ID, ruleID: t.Rule.ID, contactID: t.Contact.ID, textType: textKey(e.Type),
		language: t.Contact.Language, timeZone: t.Contact.TimeZone, recipient: t.Contact.Email, name: t.Contact.Name,
		priority: from.kind.Priority, route: routeOf(t.Rule.AccountID, e.AvoidAccountID), messageID: newMessageID(domain),
		replyTo: e.ReplyTo, returnPath: e.ReturnPath, confirmation: e.Confirmation,
	}
	d.expires, d.givesUp = deadlines(e.Expires, now)
	return d
}

// deadlines returns when a message is of no use any more, and when Orbit gives up on it.
func deadlines(expires, now time.Time) (end, giveUp time.Time) {
	giveUp = now.Add(keepTrying)
	if expires.IsZero() || expires.After(giveUp) {
		return giveUp, giveUp
	}
	return expires, giveUp
}

// newMessageID makes a Message-ID that nobody can guess.
func newMessageID(domain string) string { return "<" + rand.Text() + "@" + domain + ">" }

// jobs are what makes the planned leave: one for the senders of all routes, and one for each digest.
func (p *plan) jobs() []river.InsertManyParams {
	var jobs []river.InsertManyParams
	if wake, ok := p.wakeJob(); ok {
		jobs = append(jobs, wake)
	}
	for h := range p.held {
		jobs = append(jobs, river.InsertManyParams{
			Args:       digestArgs{Rule: h.rule, Contact: h.contact, Until: h.until.UTC()},
			InsertOpts: &river.InsertOpts{ScheduledAt: h.until, UniqueOpts: river.UniqueOpts{ByArgs: true}},
		})
	}
	return jobs
}

// wakeJob wakes senders; what is urgent has a queue of its own.
func (p *plan) wakeJob() (river.InsertManyParams, bool) {
	if len(p.deliveries) == 0 {
		return river.InsertManyParams{}, false
	}
	args, queue := sendArgs{Deliveries: len(p.deliveries)}, queueNormal
	for _, d := range p.deliveries {
		if d.priority == Urgent {
			queue = queueUrgent
		}
	}
	return river.InsertManyParams{Args: args, InsertOpts: &river.InsertOpts{Queue: queue}}, true
}

// encodeValues writes the values of a message without event.
func encodeValues(values text.Values) ([]byte, error) {
	if values == nil {
		values = text.Values{}
	}
	return json.Marshal(values)
}
