package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"orbit/web/form"
	"orbit/web/ui"
)

// listing is what the query of a report asks for: filters, order and page.
type listing struct {
	Query url.Values
	Sort  string // key of a column; "-name" descends
	Page  int    // from 1
}

// readListing reads the query of a report. filters points to a struct with the fields of the filter form; what cannot be
// read of it is no filter, because an address is not typed with care.
func readListing(r *http.Request, usual string, filters any) listing {
	query := r.URL.Query()
	_, _ = form.Decode(query, filters)
	l := listing{Query: query, Sort: query.Get("sort"), Page: 1}
	if strings.TrimPrefix(l.Sort, "-") == "" {
		l.Sort = usual
	}
	if n, err := strconv.Atoi(query.Get("page")); err == nil && n > 1 && n < 1_000_000 {
		l.Page = n
	}
	return l
}

// reportRows is how many rows a page of a report has.
func (s *Server) reportRows(ctx context.Context) (int, error) {
	application, err := s.Settings.Application(ctx)
	return application.ReportRows, err
}

// report gives a report what the listing knows.
func (l listing) report(v ui.ReportView, perPage, total int) ui.ReportView {
	v.Query, v.Sort, v.Page, v.PerPage, v.Total = l.Query, l.Sort, l.Page, perPage, total
	return v
}
