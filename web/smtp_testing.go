package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"orbit/internal/account"
	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// testForm is the window "Test e-mail - Account <name>".
type testForm struct {
	To      string `form:"to" label:"Send to"`
	Subject string `form:"subject"`
	Message string `form:"message,lines"`
}

// askTestSMTP shows the window for a stored account.
func (s *Server) askTestSMTP(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	found, err := s.Accounts.FindSMTP(r.Context(), id)
	if err != nil {
		return err
	}
	return s.showTestForm(w, r, http.StatusOK, found.AccountName, s.newTestForm(r, page.SMTPPath(id)+"/test"))
}

// askTestSMTPValues shows the window for the values in the form behind it.
func (s *Server) askTestSMTPValues(w http.ResponseWriter, r *http.Request) error {
	v := s.newTestForm(r, smtpPath+"/test")
	v.Unsaved = true
	return s.showTestForm(w, r, http.StatusOK, "not saved yet", v)
}

func (s *Server) newTestForm(r *http.Request, action string) page.SMTPTestFormView {
	return page.SMTPTestFormView{Form: &ui.FormView{ID: "test-form"}, Action: action, Back: smtpPath, To: identity.UserFrom(r.Context()).Email}
}

func (s *Server) showTestForm(w http.ResponseWriter, r *http.Request, status int, name string, v page.SMTPTestFormView) error {
	return s.window(w, r, status, ui.WindowView{Title: "Test e-mail - Account " + name, Back: smtpPath}, page.SMTPTestForm(v))
}

// testSMTP starts the test of a stored account.
func (s *Server) testSMTP(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	found, err := s.Accounts.FindSMTP(r.Context(), id)
	if err != nil {
		return err
	}
	return s.startTest(w, r, found.AccountName, s.newTestForm(r, page.SMTPPath(id)+"/test"), account.SMTPTestRequest{AccountID: id})
}

// testSMTPValues starts the test of values that are not saved.
func (s *Server) testSMTPValues(w http.ResponseWriter, r *http.Request) error {
	f := smtpForm{SMTPSettings: account.NewSMTPSettings()}
	if _, wrong, err := form.Read(r, &f); err != nil || len(wrong) > 0 {
		return orElse(err, wrong)
	}
	unsaved := f.change()
	v := s.newTestForm(r, smtpPath+"/test")
	v.Unsaved = true
	return s.startTest(w, r, "not saved yet", v, account.SMTPTestRequest{Unsaved: &unsaved})
}

func orElse(err error, wrong problem.Invalid) error {
	if err != nil {
		return err
	}
	return wrong.Err()
}

func (s *Server) startTest(w http.ResponseWriter, r *http.Request, name string, v page.SMTPTestFormView, request account.SMTPTestRequest) error {
	var f testForm
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	request.To, request.Subject, request.Message = f.To, f.Subject, f.Message
	var test account.SMTPTest
	if len(wrong) == 0 {
		test, err = s.Accounts.StartSMTPTest(r.Context(), request)
	}
	if wrong, err = form.Join(wrong, err); err != nil {
		return err
	}
	if len(wrong) > 0 {
		v.Form.Typed, v.Form.Problems = typed, wrong
		return s.showTestForm(w, r, http.StatusUnprocessableEntity, name, v)
	}
	return s.begun(w, r, s.smtpTests(), page.SMTPTestRun(test, s.clock(r)))
}

// smtpTests are the tests of SMTP accounts.
func (s *Server) smtpTests() testKind {
	return testKind{
		find: func(ctx context.Context, id int64, clock ui.Clock) (page.TestRun, error) {
			test, err := s.Accounts.FindSMTPTest(ctx, id)
			return page.SMTPTestRun(test, clock), err
		},
		mailbox: s.smtpMailbox,
	}
}

// smtpMailbox is who an SMTP account signs in as; "" when that cannot be told any more.
func (s *Server) smtpMailbox(ctx context.Context, accountID int64) string {
	tested, err := s.Accounts.FindSMTP(ctx, accountID)
	if err != nil {
		return ""
	}
	if tested.CredentialID == 0 {
		return tested.SenderEmail
	}
	return s.credentialUsername(ctx, tested.CredentialID)
}

// credentialUsername is "" when the credential cannot be found.
func (s *Server) credentialUsername(ctx context.Context, id int64) string {
	stored, err := s.Credentials.Find(ctx, id)
	if err != nil {
		return ""
	}
	return stored.Username
}

// listSMTPTests shows the history of an account's tests.
func (s *Server) listSMTPTests(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	found, err := s.Accounts.FindSMTP(r.Context(), id)
	if err != nil {
		return err
	}
	tests, err := s.Accounts.ListSMTPTests(r.Context(), id)
	if err != nil {
		return err
	}
	v := testHistory(found.AccountName, page.SMTPPath(id)+"/tests", len(tests), "Press Test configuration in the menu of the account to send a test message and see each step.")
	v.Columns = []ui.Column{{Label: "When"}, {Label: "Result"}, {Label: "Sent to"}, {Label: "The last word", Wide: true}, {Label: "By"}}
	clock := s.clock(r)
	for _, t := range tests {
		v.Rows = append(v.Rows, ui.Row{
			Name: t.Recipient,
			Cells: []templ.Component{
				page.Moment(clock.At(t.StartedAt)), page.TestResult(t.State, "Delivered"), page.Text(t.Recipient), page.Text(page.SMTPTestReply(t)), page.Text(t.StartedBy),
			},
			Menu: []ui.MenuItem{{Label: "Show steps", Icon: "list-details", Href: page.SMTPTestPath(t.ID)}},
		})
	}
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(v))
}
