package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"orbit/internal/account"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// mailboxTests are the tests of IMAP/POP3 accounts.
func (s *Server) mailboxTests() testKind {
	return testKind{
		find: func(ctx context.Context, id int64, clock ui.Clock) (page.TestRun, error) {
			test, err := s.Accounts.FindMailboxTest(ctx, id)
			return page.MailboxTestRun(test, clock), err
		},
		mailbox: func(ctx context.Context, accountID int64) string {
			tested, err := s.Accounts.FindMailbox(ctx, accountID)
			if err != nil {
				return ""
			}
			return s.credentialUsername(ctx, tested.CredentialID)
		},
	}
}

// askTestMailbox shows the window for a stored account.
func (s *Server) askTestMailbox(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathMailbox(r)
	if err != nil {
		return err
	}
	return s.showMailboxTestForm(w, r, found.AccountName, page.MailboxTestFormView{
		Action: page.MailboxPath(found.ID) + "/test", Back: mailboxPath, Server: found.Server(),
	})
}

// askTestMailboxValues shows the window for the values in the form behind it.
func (s *Server) askTestMailboxValues(w http.ResponseWriter, r *http.Request) error {
	return s.showMailboxTestForm(w, r, "not saved yet", page.MailboxTestFormView{Action: mailboxPath + "/test", Back: mailboxPath, Unsaved: true})
}

func (s *Server) showMailboxTestForm(w http.ResponseWriter, r *http.Request, name string, v page.MailboxTestFormView) error {
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: page.MailboxTestTitle(name), Back: mailboxPath}, page.MailboxTestForm(v))
}

// testMailbox starts the test of a stored account.
func (s *Server) testMailbox(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return s.startMailboxTest(w, r, account.MailboxTestRequest{AccountID: id})
}

// testMailboxValues starts the test of values that are not saved.
func (s *Server) testMailboxValues(w http.ResponseWriter, r *http.Request) error {
	f := mailboxForm{MailboxSettings: account.NewMailboxSettings()}
	if _, wrong, err := form.Read(r, &f); err != nil || len(wrong) > 0 {
		return orElse(err, wrong)
	}
	unsaved := f.change()
	return s.startMailboxTest(w, r, account.MailboxTestRequest{Unsaved: &unsaved})
}

func (s *Server) startMailboxTest(w http.ResponseWriter, r *http.Request, request account.MailboxTestRequest) error {
	test, err := s.Accounts.StartMailboxTest(r.Context(), request)
	if err != nil {
		return err
	}
	return s.begun(w, r, s.mailboxTests(), page.MailboxTestRun(test, s.clock(r)))
}

// listMailboxTests shows the history of an account's tests.
func (s *Server) listMailboxTests(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathMailbox(r)
	if err != nil {
		return err
	}
	tests, err := s.Accounts.ListMailboxTests(r.Context(), found.ID)
	if err != nil {
		return err
	}
	v := testHistory(found.AccountName, page.MailboxPath(found.ID)+"/tests", len(tests), "Press Test configuration in the menu of the account to see each step on the way into the mailbox.")
	v.Columns = []ui.Column{{Label: "When"}, {Label: "Result"}, {Label: "Mailbox"}, {Label: "What was found", Wide: true}, {Label: "By"}}
	clock := s.clock(r)
	for _, t := range tests {
		v.Rows = append(v.Rows, ui.Row{
			Name: t.StartedAt.Format("2006-01-02 15:04:05"),
			Cells: []templ.Component{
				page.Moment(clock.At(t.StartedAt)), page.TestResult(t.State, "Opened"), ui.TextCell(t.Mailbox), page.Text(page.MailboxTestReply(t)), page.Text(t.StartedBy),
			},
			Menu: []ui.MenuItem{{Label: "Show steps", Icon: "list-details", Href: page.MailboxTestPath(t.ID)}},
		})
	}
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(v))
}
