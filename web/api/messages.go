package api

import (
	"net/http"
	"time"

	"orbit/internal/identity"
	"orbit/internal/inbox"
	"orbit/internal/mail/reply"
	"orbit/internal/problem"
)

const messageTag = "Received messages"

func (a *api) messages() {
	const of = "/imap-pop3-accounts/{id}"
	register(a, operation{"check-imap-pop3-account", http.MethodPost, of + "/check", "Look for new mail now", messageTag, identity.Operator, 0}, a.checkMailbox)
	register(a, operation{"show-imap-pop3-health", http.MethodGet, of + "/health", "How the mailbox does", messageTag, identity.Auditor, 0}, a.mailboxHealth)
	register(a, operation{"list-messages", http.MethodGet, of + "/messages", "List received messages, newest first", messageTag, identity.Auditor, 0}, a.listMessages)
	register(a, operation{"show-message", http.MethodGet, of + "/messages/{mid}", "Show a received message", messageTag, identity.Auditor, 0}, a.showMessage)
	a.messageFiles(of + "/messages/{mid}")
	register(a, operation{"act-on-message", http.MethodPost, of + "/messages/{mid}/act", "Act upon a message that was left alone", messageTag, identity.Administrator, 0}, a.actOnMessage)
	register(a, operation{"start-loop-test", http.MethodPost, of + "/loop-tests", "Send a message to the mailbox and wait for it", messageTag, identity.Operator, http.StatusAccepted}, a.startLoop)
	register(a, operation{"list-loop-tests", http.MethodGet, of + "/loop-tests", "List loop tests, newest first", messageTag, identity.Auditor, 0}, a.listLoops)
	register(a, operation{"list-loop-schedules", http.MethodGet, of + "/loop-schedules", "List the loop tests that are repeated", messageTag, identity.Auditor, 0}, a.listLoopSchedules)
	register(a, operation{"repeat-loop-test", http.MethodPut, of + "/loop-schedules/{smtp}", "Repeat a loop test through an SMTP account; the first one begins now", messageTag, identity.Administrator, 0}, a.repeatLoop)
	register(a, operation{"end-loop-schedule", http.MethodDelete, of + "/loop-schedules/{smtp}", "Repeat a loop test no more", messageTag, identity.Administrator, http.StatusNoContent}, a.endLoopSchedule)
	register(a, operation{"show-loop-test", http.MethodGet, of + "/loop-tests/{loop}", "Show a loop test", messageTag, identity.Auditor, 0}, a.showLoop)
}

type visitOutput struct{ Body inbox.Visit }

func (a *api) checkMailbox(c *call, i *IDInput) (*visitOutput, error) {
	v, err := a.Inbox.CheckNow(c, i.ID)
	return &visitOutput{v}, err
}

type healthOutput struct{ Body inbox.Health }

func (a *api) mailboxHealth(c *call, i *IDInput) (*healthOutput, error) {
	all, err := a.Inbox.Health(c, []int64{i.ID})
	if err != nil {
		return nil, err
	}
	h, found := all[i.ID]
	if !found {
		return nil, problem.ErrNotFound
	}
	return &healthOutput{h}, nil
}

type listMessagesInput struct {
	IDInput
	Cursor   string    `query:"cursor" doc:"The next of the page before"`
	Limit    int       `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Class    string    `query:"class" enum:"reply,bounce,receipt,auto_reply,report,other"`
	Handling string    `query:"handling" enum:"taken,nobody,too_old,failed,loop_test"`
	Search   string    `query:"search" doc:"Words that all stand in sender, subject or text"`
	From     string    `query:"from" doc:"Part of the sender's name or address"`
	Subject  string    `query:"subject" doc:"Part of the subject"`
	Since    time.Time `query:"since"`
	Until    time.Time `query:"until"`
}

func (i listMessagesInput) filter() inbox.Filter {
	return inbox.Filter{
		AccountID: i.ID, Class: reply.Class(i.Class), Handling: inbox.Handling(i.Handling), Search: i.Search,
		From: i.From, Subject: i.Subject, Since: i.Since, Until: i.Until, Cursor: i.Cursor, Limit: i.Limit,
	}
}

type listMessagesOutput struct {
	Body struct {
		Items []inbox.Row `json:"items" nullable:"false"`
		Next  string      `json:"next,omitempty" doc:"Send it as cursor to read on"`
	}
}

func (a *api) listMessages(c *call, i *listMessagesInput) (*listMessagesOutput, error) {
	if _, err := a.Accounts.FindMailbox(c, i.ID); err != nil {
		return nil, err
	}
	rows, next, err := a.Inbox.List(c, i.filter())
	output := &listMessagesOutput{}
	output.Body.Items, output.Body.Next = append([]inbox.Row{}, rows...), next
	return output, err
}

// MessageInput names a message of a mailbox. It is exported because huma reads embedded structs only then.
type MessageInput struct {
	IDInput
	Message int64 `path:"mid" minimum:"1"`
}

// message finds a message of the mailbox in the path.
func (a *api) message(c *call, i *MessageInput) (inbox.Message, error) {
	found, err := a.Inbox.Find(c, i.Message)
	if err == nil && found.AccountID != i.ID {
		err = problem.ErrNotFound
	}
	return found, err
}

// messageBody is a message as programs read it.
type messageBody struct {
	inbox.Row
	Header []inbox.HeaderField `json:"header" nullable:"false"`
	Body   string              `json:"body" doc:"All text, quotations included"`
	HTML   string              `json:"html,omitempty" doc:"As it came: show it in a sandbox only"`
	Parts  []partBody          `json:"parts" nullable:"false" doc:"The attachments, with what downloads them"`
}

type messageOutput struct{ Body messageBody }

func (a *api) showMessage(c *call, i *MessageInput) (*messageOutput, error) {
	found, err := a.message(c, i)
	if err != nil {
		return nil, err
	}
	body := messageBody{Row: found.Row, Header: found.Header, Body: found.Read.Body, HTML: found.Read.HTML, Parts: partsOf(found)}
	body.Text = found.Read.Text // the whole of it
	return &messageOutput{body}, nil
}

type rowOutput struct{ Body inbox.Row }

func (a *api) actOnMessage(c *call, i *MessageInput) (*rowOutput, error) {
	if _, err := a.message(c, i); err != nil {
		return nil, err
	}
	row, err := a.Inbox.Act(c, i.Message)
	return &rowOutput{row}, err
}

type startLoopInput struct {
	IDInput
	Body struct {
		SMTPAccountID int64  `json:"smtp_account_id" doc:"The SMTP account that sends the message"`
		Address       string `json:"address,omitempty" doc:"Of the mailbox; absent: the username of its credential"`
	}
}

type loopOutput struct{ Body inbox.Loop }

func (a *api) startLoop(c *call, i *startLoopInput) (*loopOutput, error) {
	l, err := a.Inbox.StartLoop(c, inbox.LoopRequest{MailboxID: i.ID, SMTPAccountID: i.Body.SMTPAccountID, Address: i.Body.Address})
	return &loopOutput{l}, err
}

type listLoopsOutput struct {
	Body struct {
		Items []inbox.Loop `json:"items" nullable:"false"`
	}
}

func (a *api) listLoops(c *call, i *IDInput) (*listLoopsOutput, error) {
	all, err := a.Inbox.Loops(c, i.ID)
	output := &listLoopsOutput{}
	output.Body.Items = append([]inbox.Loop{}, all...)
	return output, err
}

type loopInput struct {
	IDInput
	Loop int64 `path:"loop" minimum:"1"`
}

func (a *api) showLoop(c *call, i *loopInput) (*loopOutput, error) {
	found, err := a.Inbox.FindLoop(c, i.Loop)
	if err == nil && found.MailboxID != i.ID {
		err = problem.ErrNotFound
	}
	return &loopOutput{found}, err
}
