package web

import (
	"context"
	"net/http"
	"time"

	"orbit/internal/account"
	"orbit/web/page"
	"orbit/web/ui"
)

// maxCheck bounds how long Check now keeps a browser waiting; the mailbox itself is read on.
const maxCheck = 2 * time.Minute

// pathMailbox is the account that the path names.
func (s *Server) pathMailbox(r *http.Request) (account.Mailbox, error) {
	id, err := pathID(r)
	if err != nil {
		return account.Mailbox{}, err
	}
	return s.Accounts.FindMailbox(r.Context(), id)
}

// setMailboxActive enables or disables an account.
func (s *Server) setMailboxActive(active bool, said string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathID(r)
		if err != nil {
			return err
		}
		stored, err := s.Accounts.SetMailboxActive(r.Context(), id, active)
		if err != nil {
			return err
		}
		return s.redirect(w, r, mailboxPath, ui.Said(stored.AccountName+said))
	}
}

// askDeleteMailbox asks before an account is deleted.
func (s *Server) askDeleteMailbox(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathMailbox(r)
	if err != nil {
		return err
	}
	health, err := s.Inbox.Health(r.Context(), []int64{found.ID})
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "Delete IMAP/POP3 account " + found.AccountName + "?", Submit: "Delete account", Danger: true,
		Text:   "The account, what Orbit has read from it and the history of its tests are removed. The mailbox on the server stays as it is, and so does the credential.",
		Action: page.MailboxPath(found.ID) + "/delete", Back: mailboxPath,
		Facts: []ui.Fact{{Label: "Server", Value: found.Server()}, {Label: "Received messages", Value: page.ReceivedWords(health[found.ID])}},
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: mailboxPath}, ui.Confirm(v))
}

// deleteMailbox deletes an account.
func (s *Server) deleteMailbox(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathMailbox(r)
	if err != nil {
		return err
	}
	if err := s.Accounts.DeleteMailbox(r.Context(), found.ID); err != nil {
		return err
	}
	return s.redirect(w, r, mailboxPath, ui.Said(found.AccountName+" is deleted."))
}

// askCheck shows the window of Check now, which begins by itself; without JavaScript its button does.
func (s *Server) askCheck(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathMailbox(r)
	if err != nil {
		return err
	}
	v := ui.WindowView{Title: "Check now - Account " + found.AccountName, Back: mailboxPath}
	return s.window(w, r, http.StatusOK, v, page.CheckBegin(page.MailboxPath(found.ID)+"/check", mailboxPath))
}

// check looks into the mailbox and says what it found. It may take longer than an answer usually may.
func (s *Server) check(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathMailbox(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxCheck)
	defer cancel()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(maxCheck + time.Minute)) // what cannot be set stays as it is
	visit, err := s.Inbox.CheckNow(ctx, found.ID)
	if err != nil {
		return err
	}
	v := ui.WindowView{Title: "Check now - Account " + found.AccountName, Back: mailboxPath}
	return s.window(w, r, http.StatusOK, v, page.CheckResult(page.CheckView{Mailbox: found, Visit: visit}))
}
