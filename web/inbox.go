package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/account"
	"orbit/internal/identity"
	"orbit/internal/inbox"
	"orbit/internal/mail/reply"
	"orbit/web/page"
	"orbit/web/ui"
)

// inboxFilters is the row of filters above the received messages. Days are those of the reader's zone.
type inboxFilters struct {
	Class   string `form:"class"`
	From    string `form:"from"`
	Subject string `form:"subject"`
	Words   string `form:"words"`
	Since   string `form:"since"`
	Until   string `form:"until"`
	Cursor  string `form:"cursor"`
}

func (f inboxFilters) filter(accountID int64, zone *time.Location, limit int) inbox.Filter {
	filter := inbox.Filter{
		AccountID: accountID, Class: reply.Class(f.Class), From: f.From, Subject: f.Subject, Search: f.Words, Cursor: f.Cursor, Limit: limit,
	}
	if day, err := time.ParseInLocation(time.DateOnly, f.Since, zone); err == nil {
		filter.Since = day
	}
	if day, err := time.ParseInLocation(time.DateOnly, f.Until, zone); err == nil {
		filter.Until = day.AddDate(0, 0, 1) // the whole of the last day
	}
	return filter
}

// viewInbox shows what was received in a mailbox, the newest first.
func (s *Server) viewInbox(w http.ResponseWriter, r *http.Request) error {
	mailbox, err := s.pathMailbox(r)
	if err != nil {
		return err
	}
	var f inboxFilters
	listing := readListing(r, "", &f)
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	clock := s.clock(r)
	filter := f.filter(mailbox.ID, clock.Zone, rowsPerPage)
	if wantsCSV(r) {
		return s.exportInbox(w, r, filter)
	}
	rows, next, err := s.Inbox.List(r.Context(), filter)
	if err != nil {
		return err
	}
	health, err := s.Inbox.Health(r.Context(), []int64{mailbox.ID})
	if err != nil {
		return err
	}
	listing.Query.Del("cursor") // filters and the file begin anew
	v := listing.report(inboxReport(mailbox, rows, clock), max(1, len(rows)), len(rows))
	v.Note = page.InboxNote(page.InboxNoteView{Mailbox: mailbox, Health: health[mailbox.ID], Clock: clock, News: newsAddress(mailbox.ID, rows, f)})
	if identity.UserFrom(r.Context()).Role.CanTest() && mailbox.Active {
		v.Beside = page.CheckButton(mailbox.ID)
	}
	if next != "" {
		query := r.URL.Query()
		query.Set("cursor", next)
		v.Older = v.Path + "?" + query.Encode()
	}
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(v))
}

// newsAddress is where the first page hears of messages that came after those it shows; "" elsewhere, where they would
// not show.
func newsAddress(mailboxID int64, rows []inbox.Row, f inboxFilters) string {
	if f != (inboxFilters{}) {
		return ""
	}
	var newest int64
	for _, row := range rows {
		newest = max(newest, row.ID)
	}
	return page.MailboxPath(mailboxID) + "/inbox/news?after=" + strconv.FormatInt(newest, 10)
}

func inboxReport(mailbox account.Mailbox, rows []inbox.Row, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "Inbox of " + mailbox.AccountName, Path: page.MailboxPath(mailbox.ID) + "/inbox", CanCSV: true, RowsNoun: "messages", Naming: 1,
		About:   "What Orbit has received in this mailbox, what it is, and what it led to.",
		Filters: []ui.Field{{Name: "class", Label: "Class", Options: page.ClassOptions()}, {Name: "from", Label: "From"}, {Name: "words", Label: "Words", Placeholder: "Sender, subject, text"}},
		More: []ui.Field{
			{Name: "subject", Label: "Subject"},
			{Name: "since", Label: "From day", Attributes: templ.Attributes{"type": "date"}}, {Name: "until", Label: "To day", Attributes: templ.Attributes{"type": "date"}},
		},
		Columns: []ui.Column{{Label: "Received"}, {Label: "Subject", Wide: true}, {Label: "From"}, {Label: "Class"}, {Label: "What it led to"}},
		Empty: ui.EmptyView{
			Icon: "inbox", Title: "Nothing received yet",
			Text: "Every message that arrives in this mailbox is stored here once, whatever happens to it on the server. Send one to the mailbox, or press Check now.",
		},
	}
	for _, m := range rows {
		v.Rows = append(v.Rows, ui.Row{
			ID: "message-" + strconv.FormatInt(m.ID, 10), Name: m.Subject,
			Cells: []templ.Component{
				ui.ExactTime(clock.At(m.ReceivedAt)), page.MessageSubject(m), page.MessageFrom(m), page.MessageClass(m.Class), page.MessageOutcome(m),
			},
		})
	}
	return v
}

var inboxCSVColumns = []string{
	"ID", "Received (UTC)", "Date (UTC)", "From", "From name", "Subject", "Class", "Text", "What it led to", "Message-ID", "About", "SPF", "DKIM", "DMARC", "Attachments", "Bytes",
}

// exportInbox writes all that matches, from the newest message on.
func (s *Server) exportInbox(w http.ResponseWriter, r *http.Request, filter inbox.Filter) error {
	filter.Cursor, filter.Limit = "", 1000
	var lines [][]string
	for len(lines) < mostExported {
		rows, next, err := s.Inbox.List(r.Context(), filter)
		if err != nil {
			return err
		}
		for _, row := range rows {
			lines = append(lines, inboxLine(row))
		}
		if next == "" {
			break
		}
		filter.Cursor = next
	}
	return s.csv(w, "inbox-"+strconv.FormatInt(filter.AccountID, 10), inboxCSVColumns, lines)
}

func inboxLine(m inbox.Row) []string {
	names := make([]string, len(m.Attachments))
	for i, a := range m.Attachments {
		names[i] = a.Name
	}
	found := inbox.Authentication{}
	if m.Authentication != nil {
		found = *m.Authentication
	}
	return []string{
		strconv.FormatInt(m.ID, 10), utc(&m.ReceivedAt), utc(m.Date), m.FromAddress, m.FromName, m.Subject, page.ClassWord(m.Class), m.Text,
		page.OutcomeWords(m), m.MessageID, m.Original, found.SPF, found.DKIM, found.DMARC, strings.Join(names, ", "), strconv.FormatInt(m.Size, 10),
	}
}

// newsLook is how often the open list looks for new messages; another process may receive them.
const newsLook = 2 * time.Second

// mostNews is what the list counts to: more is "many".
const mostNews = 99

// streamNews tells an open list that there is more to show.
func (s *Server) streamNews(w http.ResponseWriter, r *http.Request) error {
	mailbox, err := s.pathMailbox(r)
	if err != nil {
		return err
	}
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64) // what is no number is the beginning
	events, err := startStream(w, r)
	if err != nil {
		return err
	}
	look := time.NewTicker(newsLook)
	defer look.Stop()
	said := 0
	for {
		n, err := s.newer(r.Context(), mailbox.ID, after)
		if err == nil && n > said {
			said = n
			err = events.send("news", page.InboxNews(page.MailboxPath(mailbox.ID)+"/inbox", n))
		}
		if err != nil {
			return nil //nolint:nilerr // the answer has begun: the browser connects again
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-look.C:
		}
	}
}

// newer counts the messages that were stored after one.
func (s *Server) newer(ctx context.Context, mailboxID, after int64) (int, error) {
	rows, _, err := s.Inbox.List(ctx, inbox.Filter{AccountID: mailboxID, Limit: mostNews})
	n := 0
	for _, row := range rows {
		if row.ID > after {
			n++
		}
	}
	return n, err
}
