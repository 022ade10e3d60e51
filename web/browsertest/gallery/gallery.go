// Package gallery shows every part of web/ui with invented values, so that a browser test can look at all of them.
// Nothing but tests imports it.
package gallery

import (
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/mail/ladder"
	"orbit/internal/problem"
	"orbit/web/page"
	"orbit/web/ui"
)

// now is the moment of all pages of the gallery.
var now = time.Date(2026, 11, 23, 14, 5, 0, 0, time.UTC)

var clock = ui.Clock{Now: now, Zone: time.FixedZone("CET", 3600)}

// Pages are the pages of the gallery by path; each stands in its frame.
func Pages() map[string]templ.Component {
	return map[string]templ.Component{
		"/report":           framed("SMTP Configuration", ui.Report(accounts(45, 1, "name"))),
		"/report-empty":     framed("SMTP Configuration", ui.Report(accounts(0, 1, ""))),
		"/report-past-end":  framed("SMTP Configuration", ui.Report(pastEnd())),
		"/home-of-a-member": framed("Home", page.Home(page.HomeView{Name: "Eva"})),
		"/report-filtered":  framed("SMTP Configuration", ui.Report(filtered())),
		"/form":             framed("New SMTP account", Account(AccountForm{Form: accountForm()})),
		"/form-wrong":       framed("New SMTP account", Account(AccountForm{Form: wrongForm()})),
		"/form-conflict":    framed("Office365", Account(AccountForm{Form: conflictForm(), Stored: true})),
		"/form-read-only":   framed("Office365", Account(AccountForm{Form: &ui.FormView{ReadOnly: true, Action: "/form"}, Stored: true})),
		"/ladder":           framed("Test e-mail", Ladders(delivered(), failed(), running())),
		"/parts":            framed("Parts", Parts(clock)),
		"/home":             framed("Home", page.Home(home())),
		"/search":           framed("Search", page.Search(page.SearchView{Words: "office", Found: found()})),
		"/missing":          framed("There is nothing here", page.Failure(page.FailureView{Status: 404, Title: "There is nothing here", Lines: []string{"It may have been deleted, or the address may be incomplete."}})),
		"/broken":           framed("Orbit could not do this", page.Failure(page.FailureView{Status: 500, Title: "Orbit could not do this", Lines: []string{"The reason is in Orbit's log."}, Reference: "9f86d081884c"})),
		"/landing":          within(ui.Landing(ui.LandingView{Title: "Sign in", Product: "Orbit", About: "With the account that an administrator gave you.", Help: "Forgotten the password? Ask an administrator to set a new one."}), SignIn()),
		"/landing-good":     within(ui.Landing(ui.LandingView{Title: "Email OAuth 2.0 authentication succeeded", Product: "Orbit", Organisation: "Example Ltd", Tone: ui.Good, Help: "Questions? Ask it@example.com."}), Succeeded()),
		"/window-as-a-page": framed("Delete SMTP account Office365?", within(ui.WindowPage(ui.WindowView{Title: "Delete SMTP account Office365?"}), ui.Confirm(deletion()))),
	}
}

// Windows are what opens over a page, by path.
func Windows() map[string]templ.Component {
	return map[string]templ.Component{
		"/window-test":   within(ui.Window(ui.WindowView{Title: "Test e-mail - Account Office365"}), TestWindow()),
		"/window-delete": within(ui.Window(ui.WindowView{Title: "Delete SMTP account Office365?"}), ui.Confirm(deletion())),
	}
}

// Frame is the frame of all pages of the gallery.
func Frame(title string) ui.FrameView {
	return ui.FrameView{
		Title: title, Product: "Orbit", Search: "/found.json", SignOut: "/logout", SideOf: "Settings",
		Person: &ui.Person{Name: "Ana Souza", Username: "ana", Role: "Administrator", Zone: "America/Sao_Paulo (-03)",
			Links: []ui.Link{{Label: "Your profile", Href: "/profile", Icon: "user-circle"}}},
		Grid: grid(), Side: side(),
		Crumbs: []ui.Link{{Label: "Settings", Href: "/"}, {Label: "Notifications"}, {Label: title}},
		Flash:  &ui.FlashView{Tone: ui.Good, Text: "SMTP account Office365 is saved and is the default now.", Link: &ui.Link{Label: "Test it", Href: "/ladder"}},
		Bell:   &ui.BellView{Notices: notices()},
	}
}

func grid() []ui.Link {
	return []ui.Link{
		{Label: "Settings", Href: "/report", Icon: "settings", About: "Accounts, credentials, connectors, users", Here: true},
		{Label: "Approvals", Href: "/approvals", Icon: "clipboard-check", About: "Access requests that wait for an answer"},
		{Label: "Sent", Href: "/sent", Icon: "mail-forward", About: "Every notification and what became of it"},
		{Label: "Health", Href: "/health", Icon: "heartbeat", About: "What runs, and what needs attention"},
	}
}

func side() []ui.LinkGroup {
	return []ui.LinkGroup{
		{Label: "Notifications", Links: []ui.Link{
			{Label: "SMTP Configuration", Href: "/report", Icon: "mail-cog", Here: true},
			{Label: "IMAP/POP3 Configuration", Href: "/form", Icon: "inbox"},
			{Label: "Email OAuth 2.0 proxy", Href: "/ladder", Icon: "shield-lock"},
			{Label: "List sent", Href: "/sent", Icon: "mail-forward"},
		}},
		{Links: []ui.Link{
			{Label: "Credentials", Href: "/credentials", Icon: "key"},
			{Label: "System Parameters", Href: "/parameters", Icon: "forms"},
			{Label: "Users", Href: "/users", Icon: "users"},
			{Label: "Audit", Href: "/audit", Icon: "history"},
		}},
	}
}

func notices() []ui.NoticeView {
	return []ui.NoticeView{
		{Tone: ui.Bad, Text: "No SMTP account is the default: nothing will be sent", Href: "/report"},
		{Tone: ui.Warning, Text: "The certificate of mail.example.com ends in 9 days", Href: "/report"},
	}
}

func home() page.HomeView {
	return page.HomeView{Name: "Ana Souza", Tiles: grid(), Settings: side(), Notices: notices()}
}

func found() []page.Found {
	return []page.Found{
		{Title: "Office365", Where: "SMTP account", Href: "/form", Icon: "mail-cog"},
		{Title: "Office365 inbox", Where: "IMAP/POP3 account", Href: "/form", Icon: "inbox"},
	}
}

// accounts is a page of a report with so many rows in all.
func accounts(total, at int, sort string) ui.ReportView {
	v := ui.ReportView{
		Title: "SMTP Configuration", About: "The accounts through which Orbit sends its notifications.", Path: "/report", Query: url.Values{},
		RowsNoun: "accounts", New: &ui.Link{Label: "New", Href: "/form"}, CanCSV: true, Sort: sort, Page: at, PerPage: 10, Total: total, Naming: 1,
		Filters: []ui.Field{{Name: "name", Label: "Name"}, {Name: "sender", Label: "Sender e-mail"},
			{Name: "active", Label: "Enabled", Options: []ui.Option{{Label: "All"}, {Value: "yes", Label: "Yes"}, {Value: "no", Label: "No"}}}},
		More: []ui.Field{{Name: "id", Label: "ID"}, {Name: "reply_to", Label: "Reply e-mail"}, {Name: "return_path", Label: "Return e-mail"}},
		Columns: []ui.Column{{Key: "id", Label: "ID", Right: true}, {Key: "name", Label: "Name"}, {Key: "sender", Label: "Sender e-mail"}, {Key: "server", Label: "Server"},
			{Key: "active", Label: "Enabled"}, {Key: "secure", Label: "Secure connection"}, {Label: "Last test"}},
		Empty: ui.EmptyView{Icon: "mail-cog", Title: "No SMTP account yet",
			Text: "Orbit sends every notification through an SMTP account. Register one, test it, and make it the default.",
			New:  &ui.Link{Label: "Register an SMTP account", Href: "/form"}},
	}
	for i := range min(total, 10) {
		v.Rows = append(v.Rows, account(i))
	}
	return v
}

func account(i int) ui.Row {
	names := []string{"Office365", "Google Workspace", "Local relay with a long name for the table", "Amazon SES"}
	name := names[i%len(names)]
	if i >= len(names) {
		name += " " + strconv.Itoa(i)
	}
	lastTest := Tested(clock.At(now.Add(-time.Duration(i*i+1)*17*time.Minute)), i%3 != 1)
	if i == 2 {
		lastTest = ui.RelativeTime(ui.TimeView{Never: "never tested"})
	}
	return ui.Row{
		ID: "account-" + strconv.Itoa(i+1), Name: name, Muted: i%4 == 2,
		Cells: []templ.Component{
			ui.TextCell(strconv.Itoa(i + 1)), AccountName(name, i == 0), ui.TextCell("alerts@example.com"), ui.TextCell("smtp.office365.com:587"),
			ui.StatusDot(pickTone(i%4 == 2), pickWord(i%4 == 2)), ui.YesNoCell(i%2 == 0), lastTest,
		},
		Menu: []ui.MenuItem{
			{Label: "Edit", Icon: "pencil", Href: "/form"},
			{Label: "Test configuration", Icon: "mail-fast", Href: "/window-test", Window: true},
			{Label: "Clone", Icon: "copy", Href: "/form"},
			{Label: "Disable", Icon: "power", Href: "/post", Post: true, Divider: true},
			{Label: "Delete", Icon: "trash", Href: "/window-delete", Window: true, Danger: true},
			{Label: "Make default", Icon: "star", Disabled: "It is the default already"},
		},
	}
}

func pickTone(off bool) ui.Tone {
	if off {
		return ui.Neutral
	}
	return ui.Good
}

func pickWord(off bool) string {
	if off {
		return "Disabled"
	}
	return "Enabled"
}

func filtered() ui.ReportView {
	v := accounts(0, 1, "name")
	v.Query = url.Values{"name": {"nothing like it"}, "id": {"4711"}}
	return v
}

func pastEnd() ui.ReportView {
	v := accounts(45, 9, "name")
	v.Rows = nil
	return v
}

func accountForm() *ui.FormView {
	return &ui.FormView{Action: "/form", Submit: "Send", Hint: "Saves the account", Cancel: "/report"}
}

func wrongForm() *ui.FormView {
	f := accountForm()
	f.Typed = map[string]string{"account_name": "", "port": "abc", "sender_email": "alerts@", "use_secure_connection": "yes"}
	f.Problems = problem.Invalid{
		{Name: "account_name", Text: "Enter a name for the account, such as Office365."},
		{Name: "sender_email", Text: "Enter an e-mail address such as alerts@example.com."},
		{Name: "port", Text: "Port must be a number from 1 to 65535."},
		{Name: "use_secure_connection", Text: "Port 25 and TLS from the start do not go together."},
		{Text: "No other account is enabled."},
	}
	return f
}

func conflictForm() *ui.FormView {
	f := accountForm()
	f.Version = 7
	f.Conflict = &problem.Conflict{What: "SMTP account Office365", Who: "Bruno", Changed: []problem.Change{
		{Field: "smtp_host", Label: "SMTP host", Stored: "smtp.example.net", Yours: "smtp.office365.com"},
		{Field: "sender_name", Label: "Sender name", Stored: "Orbit", Yours: ""},
	}}
	f.Confirm = &problem.Confirm{Name: "accept_no_default", Text: "This is the default account. Without it no notification is sent."}
	return f
}

func step(name ladder.Name, title, result string, took time.Duration) ladder.Step {
	return ladder.Step{Name: name, Title: title, Result: result, Duration: took, Done: true, Started: now}
}

func climbed() []ladder.Step {
	steps := []ladder.Step{
		step(ladder.Resolve, "Find the server", "mail.example.com is 192.0.2.10", 12*time.Millisecond),
		step(ladder.Connect, "Connect", "192.0.2.10 port 587", 43*time.Millisecond),
		step(ladder.TLS, "Certificate and encryption", "TLS 1.3, certificate valid until 4 January 2027", 88*time.Millisecond),
		step(ladder.Hello, "Introduce ourselves", "The server offers AUTH PLAIN LOGIN, SIZE 35 MB", 20*time.Millisecond),
	}
	steps[2].Warnings = []string{"The certificate ends in 42 days."}
	steps[3].Transcript = []ladder.Line{
		{From: "server", Text: "220 mail.example.com ESMTP"}, {From: "orbit", Text: "EHLO orbit.example.com"},
		{From: "server", Text: "250-mail.example.com"}, {From: "server", Text: "250 AUTH PLAIN LOGIN"},
	}
	return steps
}

func delivered() ui.LadderView {
	steps := append(climbed(), step(ladder.Auth, "Sign in", "Signed in as alerts@example.com", 210*time.Millisecond), step(ladder.Reply, "Final reply", "250 2.0.0 queued as 4F2", 1340*time.Millisecond))
	return ui.LadderView{ID: "delivered", Steps: steps, Final: &ui.FlashView{Tone: ui.Good, Text: "Accepted by mail.example.com: 250 2.0.0 queued as 4F2"}, Actions: Again()}
}

func failed() ui.LadderView {
	wrong := step(ladder.Auth, "Sign in", "", 300*time.Millisecond)
	wrong.Fault = &ladder.Fault{
		Code: "smtp_535_5.7.139", Who: ladder.Microsoft365, Cause: "The mailbox may not use authenticated SMTP.",
		Remedy: "Switch it on for this mailbox, in PowerShell:\nSet-CASMailbox -Identity alerts@example.com -SmtpClientAuthenticationDisabled $false\nIt takes up to an hour. Then test again.",
		Reply:  "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
	}
	return ui.LadderView{ID: "failed", Steps: append(climbed(), wrong), Final: &ui.FlashView{Tone: ui.Bad, Text: "Not delivered: the server refused the sign-in."}}
}

func running() ui.LadderView {
	return ui.LadderView{ID: "running", Running: true, Steps: append(climbed(), ladder.Step{Name: ladder.Auth, Title: "Sign in", Started: now})}
}

func deletion() ui.ConfirmView {
	return ui.ConfirmView{
		Text: "The account, its settings and its 12 tests are removed. Mails that wait for it go through the default account.", Action: "/post",
		Facts:  []ui.Fact{{Label: "Sender", Value: "alerts@example.com"}, {Label: "Server", Value: "smtp.office365.com:587", Mono: true}},
		Submit: "Delete account", Danger: true, Back: "/report", Password: true,
		Problems: problem.Invalid{{Name: ui.CurrentPassword, Text: "That is not your password."}},
	}
}
