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

	"orbit/internal/identity"
	"orbit/internal/mail/ladder"
	"orbit/web/page"
	"orbit/web/ui"
)

// testLook is how often a running test is looked at. It may run in another process, so its row is asked.
const testLook = 150 * time.Millisecond

// testKind is what tests of SMTP accounts and of mailbox accounts do not share: where a test is found, and who signs in
// with the account.
type testKind struct {
	find    func(ctx context.Context, id int64, clock ui.Clock) (page.TestRun, error)
	mailbox func(ctx context.Context, accountID int64) string // "" when that cannot be told any more
}

// begun answers with a test that was started: in the window, or without JavaScript on its page.
func (s *Server) begun(w http.ResponseWriter, r *http.Request, kind testKind, test page.TestRun) error {
	if !fromHTMX(r) {
		return s.redirect(w, r, test.Path, ui.FlashView{})
	}
	return s.render(w, r, http.StatusOK, page.Test(s.testView(r, kind, test)))
}

func (s *Server) testView(r *http.Request, kind testKind, test page.TestRun) page.TestView {
	v := page.TestView{TestRun: test, Clock: s.clock(r)}
	role := identity.UserFrom(r.Context()).Role
	if test.Account != "" && role.CanTest() {
		v.Again = test.Account + "/test"
	}
	if fault := test.Fault(); fault != nil && role.CanChange() {
		v.Pin = fault.Fingerprint
		if fault.Authorise {
			v.Authorise = authorisePath + "?" + url.Values{"address": {kind.mailbox(r.Context(), test.AccountID)}}.Encode()
		}
	}
	return v
}

func (s *Server) pathTest(r *http.Request, kind testKind) (page.TestRun, error) {
	id, err := pathID(r)
	if err != nil {
		return page.TestRun{}, err
	}
	return kind.find(r.Context(), id, s.clock(r))
}

// showTest shows a test, running or ended.
func (s *Server) showTest(kind testKind) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		test, err := s.pathTest(r, kind)
		if err != nil {
			return err
		}
		v := s.testView(r, kind, test)
		v.Alone = true
		return s.show(w, r, http.StatusOK, test.Title, page.TestPage(v))
	}
}

// streamTest sends the ladder each time it grows, until the test has ended.
func (s *Server) streamTest(kind testKind) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		test, err := s.pathTest(r, kind)
		if err != nil {
			return err
		}
		events, err := startStream(w, r)
		if err != nil {
			return err
		}
		look := func() (page.TestRun, error) { return kind.find(r.Context(), test.ID, s.clock(r)) }
		err = follow(r.Context(), test, look, func(seen page.TestRun) error {
			return events.send("ladder", page.TestLive(s.testView(r, kind, seen)))
		})
		if err != nil {
			return nil //nolint:nilerr // the answer has begun: the browser sees the stream end and shows what it has
		}
		return events.done()
	}
}

// follow calls show for each new state of a test, the first and the last included.
func follow(ctx context.Context, test page.TestRun, look func() (page.TestRun, error), show func(page.TestRun) error) error {
	ticker := time.NewTicker(testLook)
	defer ticker.Stop()
	for {
		if err := show(test); err != nil {
			return err
		}
		shown := test
		for reflect.DeepEqual(shown, test) {
			if !test.Running() {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-ticker.C:
			}
			var err error
			if test, err = look(); err != nil {
				return err
			}
		}
	}
}

// downloadTranscript answers with everything that was said, secrets excepted.
func (s *Server) downloadTranscript(kind testKind) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		test, err := s.pathTest(r, kind)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="orbit-test-`+strconv.FormatInt(test.ID, 10)+`.txt"`)
		_, _ = w.Write([]byte(transcript(test)))
		return nil
	}
}

func transcript(test page.TestRun) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n%s, %s, %s\n", test.Title, test.About, test.StartedAt.UTC().Format(time.RFC3339), test.State)
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

// testHistory is the report of an account's tests, without columns and rows.
func testHistory(name, path string, tests int, how string) ui.ReportView {
	return ui.ReportView{
		Title: "Tests of " + name, About: "The newest fifty, with the server's last word on each.", Path: path,
		RowsNoun: "tests", Page: 1, PerPage: tests, Total: tests,
		Empty: ui.EmptyView{Icon: "mail-fast", Title: "Not tested yet", Text: how},
	}
}
