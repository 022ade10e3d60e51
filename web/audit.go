package web

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/audit"
	"orbit/web/page"
	"orbit/web/ui"
)

const auditPath = "/settings/audit"

// mostExported bounds a file: a spreadsheet takes no more, and the trail of years would not fit into memory.
const mostExported = 100_000

// auditFilters is the row of filters above the trail. Days are those of the reader's zone.
type auditFilters struct {
	From   string `form:"from"`
	To     string `form:"to"`
	Who    string `form:"who"`
	Action string `form:"action"`
	Object string `form:"object"`
	Text   string `form:"text"`
	Before int64  `form:"before"`
}

func (f auditFilters) filter(zone *time.Location, limit int) audit.Filter {
	filter := audit.Filter{Actor: f.Who, Action: f.Action, Object: f.Object, Text: f.Text, Before: f.Before, Limit: limit}
	if day, err := time.ParseInLocation(time.DateOnly, f.From, zone); err == nil {
		filter.From = day
	}
	if day, err := time.ParseInLocation(time.DateOnly, f.To, zone); err == nil {
		filter.To = day.AddDate(0, 0, 1) // the whole of the last day
	}
	return filter
}

// listAudit shows who did what, the newest first.
func (s *Server) listAudit(w http.ResponseWriter, r *http.Request) error {
	var f auditFilters
	listing := readListing(r, "", &f)
	rowsPerPage, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	clock := s.clock(r)
	filter := f.filter(clock.Zone, rowsPerPage)
	if wantsCSV(r) {
		return s.exportAudit(w, r, filter)
	}
	rows, next, err := audit.List(r.Context(), s.Trail, filter)
	if err != nil {
		return err
	}
	v := listing.report(auditReport(rows, clock), max(1, len(rows)), len(rows))
	if next > 0 {
		query := r.URL.Query()
		query.Set("before", strconv.FormatInt(next, 10))
		v.Older = auditPath + "?" + query.Encode()
	}
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(v))
}

func auditReport(rows []audit.Row, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "Audit", Path: auditPath, CanCSV: true, RowsNoun: "entries", Naming: 2,
		About: "Who did what, and when. Entries cannot be changed or removed; each carries the hash of the one before.",
		Note:  page.AuditCheck(auditPath + "/verify"),
		Filters: []ui.Field{
			{Name: "from", Label: "From", Attributes: templ.Attributes{"type": "date"}},
			{Name: "to", Label: "To", Attributes: templ.Attributes{"type": "date"}},
			{Name: "who", Label: "Who"}, {Name: "object", Label: "Object", Options: page.AuditObjects()},
		},
		More: []ui.Field{
			{Name: "action", Label: "Action", Placeholder: "user.signed_in"},
			{Name: "text", Label: "Words", Placeholder: "Name, address, detail"},
		},
		Columns: []ui.Column{
			{Label: "When"}, {Label: "Who"}, {Label: "What"}, {Label: "Object"}, {Label: "Detail", Wide: true},
		},
	}
	for _, row := range rows {
		v.Rows = append(v.Rows, ui.Row{
			ID: "entry-" + strconv.FormatInt(row.ID, 10), Name: "entry " + strconv.FormatInt(row.ID, 10),
			Cells: []templ.Component{
				page.AuditEntry(clock.At(row.At), row), page.AuditActor(row.Actor), page.AuditAction(row.Action),
				ui.TextCell(row.ObjectName), page.AuditDetail(row.Detail),
			},
		})
	}
	return v
}

var auditCSVColumns = []string{
	"Entry", "When (UTC)", "Who", "By", "Address", "Action", "Object", "Object ID", "Object name", "Detail", "Hash",
}

// exportAudit writes all that matches, from the newest entry on.
func (s *Server) exportAudit(w http.ResponseWriter, r *http.Request, filter audit.Filter) error {
	filter.Before, filter.Limit = 0, 1000
	var lines [][]string
	for len(lines) < mostExported {
		rows, next, err := audit.List(r.Context(), s.Trail, filter)
		if err != nil {
			return err
		}
		for _, row := range rows {
			line, err := auditLine(row)
			if err != nil {
				return err
			}
			lines = append(lines, line)
		}
		if next == 0 {
			break
		}
		filter.Before = next
	}
	return s.csv(w, "audit", auditCSVColumns, lines)
}

func auditLine(row audit.Row) ([]string, error) {
	detail, err := json.Marshal(row.Detail)
	if err != nil {
		return nil, err
	}
	return []string{
		strconv.FormatInt(row.ID, 10), row.At.UTC().Format(time.RFC3339Nano), row.Actor.Name, string(row.Actor.Kind), row.Actor.Address,
		row.Action, row.Object, strconv.FormatInt(row.ObjectID, 10), row.ObjectName, string(detail), hex.EncodeToString(row.Hash),
	}, nil
}

// verifyAudit walks the whole chain. The page of the trail asks for it after it has loaded, because it may take
// seconds on a trail of millions.
func (s *Server) verifyAudit(w http.ResponseWriter, r *http.Request) error {
	verdict, err := audit.Verify(r.Context(), s.Trail)
	if err != nil {
		return err
	}
	if fromHTMX(r) {
		return s.render(w, r, http.StatusOK, page.AuditVerdict(verdict))
	}
	return s.show(w, r, http.StatusOK, "Audit trail verified", page.AuditVerified(verdict, auditPath))
}
