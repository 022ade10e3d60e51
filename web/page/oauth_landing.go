package page

import (
	"strconv"

	"orbit/internal/mail/provider"
	"orbit/internal/oauth"
	"orbit/web/ui"
)

// AuthorisationView is what somebody sees who comes back from the provider, and may never have seen Orbit.
type AuthorisationView struct {
	Outcome  oauth.Outcome
	Provider provider.ID
	Site     string // Orbit's host
	Back     string // the page of the proxy, for somebody who may see it
	Again    string // where an administrator begins again
	Clock    ui.Clock
}

// Succeeded are the words that the documentation tells people to look for.
const Succeeded = "Email OAuth 2.0 authentication succeeded"

// Title says in one line how it ended.
func (v AuthorisationView) Title() string {
	switch o := v.Outcome; {
	case o.Running:
		return "One moment"
	case !o.Authorised:
		return "Email OAuth 2.0 authentication failed"
	case o.Fault != nil:
		return "You are signed in, but the mail server does not let Orbit in yet"
	}
	return Succeeded
}

// Tone is the colour of the title.
func (v AuthorisationView) Tone() ui.Tone {
	switch o := v.Outcome; {
	case o.Running:
		return ui.Notice
	case !o.Authorised:
		return ui.Bad
	case o.Fault != nil, o.WrongMailbox:
		return ui.Warning
	}
	return ui.Good
}

// About says what that means for the mailbox.
func (v AuthorisationView) About() string {
	switch o := v.Outcome; {
	case o.Running:
		return "The provider's answer is being checked. This page looks again by itself."
	case !o.Authorised && o.State == oauth.Active:
		return "Nothing was changed: " + o.Address + " goes on working with the permission it had."
	case !o.Authorised:
		return "Orbit has no permission for " + o.Address + ". Nothing was changed."
	case o.Fault != nil:
		return "The provider has given Orbit its permission for " + o.Address + ", and it is kept."
	case o.State == oauth.Active:
		return "Orbit may now send and read mail as " + o.Address + ". The mail server has accepted it."
	}
	return "Orbit has the permission for " + v.Outcome.Address + ". It proves itself with the first sign-in at the mail server."
}

func (v AuthorisationView) facts() []ui.Fact {
	o := v.Outcome
	facts := []ui.Fact{{Label: "Mailbox", Value: o.Address}}
	if o.SignedInAs != "" {
		facts = append(facts, ui.Fact{Label: "Signed in as", Value: o.SignedInAs})
	}
	if o.ProvenBy != "" && o.State == oauth.Active {
		facts = append(facts, ui.Fact{Label: "Accepted by", Value: o.ProvenBy})
	}
	return append(facts, ui.Fact{Label: "When", Value: v.Clock.At(o.At).Exact()})
}

func (v AuthorisationView) wrongMailbox() string {
	o := v.Outcome
	return "You signed in as " + o.SignedInAs + ", and Orbit expected " + o.Address + ". That works only if " + o.SignedInAs +
		" may open and send as " + o.Address + ", as with a shared mailbox. Otherwise begin again and choose the right account."
}

// next says what comes after this page.
func (v AuthorisationView) next() string {
	switch o := v.Outcome; {
	case !o.Authorised:
		return "When that is done, open the link that brought you here once more. It stays valid for 24 hours after it was made."
	case o.Fault != nil && o.Fault.Authorise:
		return "When that is done, open the link that brought you here once more and sign in again."
	case o.Fault != nil:
		return "When that is done, Orbit tries again by itself. You need not sign in a second time."
	case o.State == oauth.Active:
		return "Nothing is left to do for you, and you can close this page. Orbit renews the permission by itself before it ends."
	}
	return "You can close this page. An administrator of Orbit now tests an account that uses " + v.Outcome.Address + "."
}

// purpose says what Orbit is to somebody who never saw it.
func (v AuthorisationView) purpose() string {
	return "Orbit at " + v.Site + " sends the notifications of your organisation and reads the answers to them. It uses the mailbox " +
		v.Outcome.Address + " for that, and asked its provider for permission. Your password stayed with the provider; Orbit never saw it."
}

// withdraw is where the owner of a mailbox takes the permission back.
func (v AuthorisationView) withdraw() string {
	switch v.Provider {
	case provider.Microsoft365:
		return "at myapps.microsoft.com, or your Microsoft 365 administrator under Enterprise applications"
	case provider.Google:
		return "at myaccount.google.com/connections"
	default:
		return "in the security settings of your account at the provider"
	}
}

// StrayView is a visit to the redirect endpoint that belongs to no authorisation.
type StrayView struct {
	Told    bool // there was a state, but it is unknown, too old, or of another browser
	Start   bool // it was a start address
	Minutes int  // that a sign-in may take
	Back    string
}

// Title says in one line what this is.
func (v StrayView) Title() string {
	switch {
	case v.Start:
		return "This link is not valid any more"
	case v.Told:
		return "This sign-in is over"
	}
	return "Nothing is waiting here"
}

// About says that nothing happened.
func (v StrayView) About() string {
	switch {
	case v.Start:
		return "It has been used with success, or it is older than 24 hours, or it was not copied whole. Nothing was changed."
	case v.Told:
		return "It took too long, or it was begun in another browser. Nothing was changed."
	}
	return "Mail providers send people to this address after they have allowed Orbit to use a mailbox. You came without such a visit, and nothing was changed."
}

// again says how a visit that is over is begun anew.
func (v StrayView) again() string {
	return "Open the link that you were given once more, in the browser in which you want to sign in, and finish within " + strconv.Itoa(v.Minutes) +
		" minutes. Going back to an old page of the provider does not work: each visit can be used once."
}
