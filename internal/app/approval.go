package app

import (
	"context"

	"github.com/jackc/pgx/v5"

	"orbit/internal/approval"
	"orbit/internal/identity"
	"orbit/internal/inbox"
	"orbit/internal/mail/reply"
	"orbit/internal/notify"
	"orbit/internal/notify/text"
)

// assembleApprovals builds what decides access requests, and ties it to users and mail.
func (o *Orbit) assembleApprovals() {
	o.Approvals = approval.NewService(approval.Options{
		Pool: o.Pool, People: people{o.Identity}, Notices: o.Notify, BaseURL: o.Config.BaseURL, RepliesRead: o.repliesRead, Log: o.Log,
	})
}

// repliesRead decides whether mails ask for answers; when it is not known they do not.
func (o *Orbit) repliesRead(ctx context.Context) bool {
	read, err := o.Accounts.RepliesRead(ctx)
	if err != nil {
		o.Log.WarnContext(ctx, "look whether answers are read", "error", err)
	}
	return read
}

// people gives approvals the users.
type people struct{ *identity.Service }

func person(u identity.User) approval.Person {
	return approval.Person{UserID: u.ID, Name: u.DisplayName(), Email: u.Email, Language: string(u.Language), TimeZone: u.TimeZone, Active: u.Active}
}

// Persons implements approval.People.
func (p people) Persons(ctx context.Context, tx pgx.Tx, ids []int64) ([]approval.Person, error) {
	users, err := p.FindUsers(ctx, tx, ids)
	found := make([]approval.Person, len(users))
	for i, u := range users {
		found[i] = person(u)
	}
	return found, err
}

// Member implements approval.People.
func (p people) Member(ctx context.Context, name, email string) (approval.Person, error) {
	u, err := p.MemberByEmail(ctx, name, email)
	return person(u), err
}

// sendInvitation mails somebody the link to choose a password. It is as good as the password, so it is sealed.
func (o *Orbit) sendInvitation(ctx context.Context, tx pgx.Tx, i identity.Invitation) error {
	values := text.Values{}.SetText("RECIPIENT", i.User.DisplayName()).SetLink("OPEN", o.Config.BaseURL.JoinPath("invitation", i.Token.Reveal()).String())
	values["EXPIRES"] = text.Value{Time: i.Expires}
	_, err := o.Notify.SendTx(ctx, tx, notify.Message{
		To: i.User.Email, Name: i.User.DisplayName(), Language: string(i.User.Language), TimeZone: i.User.TimeZone, TextType: "approver.invited",
		Values: values, Priority: notify.Urgent, Expires: i.Expires, Confidential: true, Hidden: []string{"LINK_OPEN", "URL_OPEN"},
	})
	return err
}

// decisions takes answers to the mails about access requests, and tells requests of approvers who can't be reached.
type decisions struct{ *Orbit }

// Concerns implements inbox.Chooser.
func (decisions) Concerns(m reply.Message) bool { return m.Token != "" || m.Bounce != nil }

// Handle implements inbox.Handler.
func (d decisions) Handle(ctx context.Context, tx pgx.Tx, r inbox.Received) (outcome string, taken bool, err error) {
	if r.Read.Bounce != nil {
		return "", false, d.bounced(ctx, tx, r.Read) // the time line of the message takes it
	}
	outcome, taken, err = d.Approvals.HandleReply(ctx, tx, r.Read)
	if err != nil || !taken {
		return outcome, taken, err
	}
	_, err = d.Notify.SignTx(ctx, tx, notify.Sign{
		MessageIDs: messageIDs(append(r.Read.InReplyTo, r.Read.References...)), Recipient: r.Read.From.Address, Kind: notify.DecisionNote, Text: outcome,
	})
	return outcome, true, err
}

// bounced looks for each address that a mail about a request did not reach for good.
func (d decisions) bounced(ctx context.Context, tx pgx.Tx, m reply.Message) error {
	named := messageIDs([]string{m.Bounce.MessageID, m.Original})
	for _, failed := range m.Bounce.Failed() {
		if failed.Status != "" && failed.Status[0] != '5' {
			continue
		}
		request, err := d.Notify.RequestTx(ctx, tx, named, failed.Address)
		if err != nil {
			return err
		}
		if request == 0 {
			continue
		}
		if err := d.Approvals.Bounced(ctx, tx, request, failed.Address, failed.Status+" "+failed.Diagnostic); err != nil {
			return err
		}
	}
	return nil
}
