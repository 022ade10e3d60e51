package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/account"
	"orbit/internal/identity"
	"orbit/internal/mail/ladder"
	"orbit/internal/problem"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// testLook is how often a running test is looked at. It may run in another process, so its row is asked.
const testLook = 150 * time.Millisecond

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
	if !fromHTMX(r) {
		return s.redirect(w, r, page.SMTPTestPath(test.ID), ui.FlashView{})
	}
	return s.render(w, r, http.StatusOK, page.SMTPTest(s.testView(r, test)))
}

func (s *Server) testView(r *http.Request, test account.SMTPTest) page.SMTPTestView {
	v := page.SMTPTestView{Test: test, Clock: s.clock(r)}
	if test.SMTPAccountID != 0 && identity.UserFrom(r.Context()).Role.CanTest() {
		v.Again = page.SMTPPath(test.SMTPAccountID) + "/test"
	}
	if fault := test.Fault(); fault != nil && identity.UserFrom(r.Context()).Role.CanChange() {
		v.Pin = fault.Fingerprint
		if fault.Authorise {
			v.Authorise = authorisePath + "?" + url.Values{"address": {s.testedMailbox(r.Context(), test)}}.Encode()
		}
	}
	return v
}

// testedMailbox is who a tested account signs in as; "" when that cannot be told any more.
func (s *Server) testedMailbox(ctx context.Context, test account.SMTPTest) string {
	tested, err := s.Accounts.FindSMTP(ctx, test.SMTPAccountID)
	if err != nil {
		return ""
	}
	if tested.CredentialID == 0 {
		return tested.SenderEmail
	}
	stored, err := s.Credentials.Find(ctx, tested.CredentialID)
	if err != nil {
		return ""
	}
	return stored.Username
}

// showTest shows a test, running or ended.
func (s *Server) showTest(w http.ResponseWriter, r *http.Request) error {
	test, err := s.pathTest(r)
	if err != nil {
		return err
	}
	v := s.testView(r, test)
	v.Alone = true
	return s.show(w, r, http.StatusOK, "Test e-mail - Account "+test.AccountName, page.SMTPTestPage(v))
}

func (s *Server) pathTest(r *http.Request) (account.SMTPTest, error) {
	id, err := pathID(r)
	if err != nil {
		return account.SMTPTest{}, err
	}
	return s.Accounts.FindSMTPTest(r.Context(), id)
}

// streamTest sends the ladder each time it grows, until the test has ended.
func (s *Server) streamTest(w http.ResponseWriter, r *http.Request) error {
	test, err := s.pathTest(r)
	if err != nil {
		return err
	}
	events, err := startStream(w, r)
	if err != nil {
		return err
	}
	err = s.follow(r.Context(), test, func(seen account.SMTPTest) error {
		return events.send("ladder", page.SMTPTestLive(s.testView(r, seen)))
	})
	if err != nil {
		return nil //nolint:nilerr // the answer has begun: the browser sees the stream end and shows what it has
	}
	return events.done()
}

// follow calls show for each new state of a test, the first and the last included.
func (s *Server) follow(ctx context.Context, test account.SMTPTest, show func(account.SMTPTest) error) error {
	look := time.NewTicker(testLook)
	defer look.Stop()
	for {
		if err := show(test); err != nil {
			return err
		}
		shown := test
		for reflect.DeepEqual(shown, test) {
			if test.State != account.TestRunning {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-look.C:
			}
			var err error
			if test, err = s.Accounts.FindSMTPTest(ctx, test.ID); err != nil {
				return err
			}
		}
	}
}

// downloadTranscript answers with everything that was said, secrets excepted.
func (s *Server) downloadTranscript(w http.ResponseWriter, r *http.Request) error {
	test, err := s.pathTest(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="orbit-test-`+strconv.FormatInt(test.ID, 10)+`.txt"`)
	_, _ = w.Write([]byte(transcript(test)))
	return nil
}

func transcript(test account.SMTPTest) string {
	var out strings.Builder
	fmt.Fprintf(&out, "Test e-mail - Account %s\nTo %s, %s, %s\n", test.AccountName, test.Recipient, test.StartedAt.UTC().Format(time.RFC3339), test.State)
	for _, step := range test.Steps {
		fmt.Fprintf(&out, "\n== %s (%s) %s\n", step.Title, step.Duration.Round(time.Millisecond), step.Result)
		writeLines(&out, step)
	}
	return out.String()
}

func writeLines(out *strings.Builder, step ladder.Step) {
	for _, line := range step.Transcript {
		fmt.Fprintf(out, "%s %-6s %s\n", line.At.UTC().Format("15:04:05.000"), line.From, line.Text)
	}
	for _, warning := range step.Warnings {
		fmt.Fprintf(out, "warning: %s\n", warning)
	}
	if f := step.Fault; f != nil {
		fmt.Fprintf(out, "failed: %s\nwho must act: %s\nwhat to do: %s\n", f.Cause, f.Who, f.Remedy)
		if f.Reply != "" {
			fmt.Fprintf(out, "the server said: %s\n", f.Reply)
		}
	}
}

// listTests shows the history of an account's tests.
func (s *Server) listTests(w http.ResponseWriter, r *http.Request) error {
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
	v := ui.ReportView{
		Title: "Tests of " + found.AccountName, About: "The newest fifty, with the server's last word on each.", Path: page.SMTPPath(id) + "/tests",
		Columns:  []ui.Column{{Label: "When"}, {Label: "Result"}, {Label: "Sent to"}, {Label: "The last word", Wide: true}, {Label: "By"}},
		RowsNoun: "tests", Page: 1, PerPage: len(tests), Total: len(tests),
		Empty: ui.EmptyView{Icon: "mail-fast", Title: "Not tested yet", Text: "Press Test configuration in the menu of the account to send a test message and see each step."},
	}
	clock := s.clock(r)
	for _, t := range tests {
		v.Rows = append(v.Rows, ui.Row{
			Name: t.Recipient,
			Cells: []templ.Component{
				page.Moment(clock.At(t.StartedAt)), page.TestResult(t.State), page.Text(t.Recipient), page.TestReply(t), page.Text(t.StartedBy),
			},
			Menu: []ui.MenuItem{{Label: "Show steps", Icon: "list-details", Href: page.SMTPTestPath(t.ID)}},
		})
	}
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(v))
}
