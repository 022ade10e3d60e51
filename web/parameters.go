package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/setting"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

const applicationPath = "/settings/system-parameters/application"

// applicationForm is what the form of System Parameters > Application posts.
type applicationForm struct {
	DefaultConnectorID         int64  `form:"default_network_connector_id" label:"Network Connector"`
	FooterText                 string `form:"footer_text,lines" label:"Footer text"`
	ReportRows                 int    `form:"report_rows" label:"Rows on a report page"`
	SentRetentionDays          int    `form:"sent_retention_days" label:"Keep sent e-mails"`
	ReceivedRetentionDays      int    `form:"received_retention_days" label:"Keep received e-mails"`
	ScreenRetentionDays        int    `form:"screen_retention_days" label:"Keep screen notifications"`
	SenderMaxConnections       int    `form:"sender_max_connections" label:"Connections at a time"`
	SenderMaxMessagesPerMinute int    `form:"sender_max_messages_per_minute" label:"Messages per minute"`
	Version                    int    `form:"version"`
}

func (f applicationForm) application() setting.Application {
	return setting.Application{
		DefaultConnectorID: f.DefaultConnectorID, FooterText: f.FooterText, ReportRows: f.ReportRows,
		SentRetentionDays: f.SentRetentionDays, ReceivedRetentionDays: f.ReceivedRetentionDays, ScreenRetentionDays: f.ScreenRetentionDays,
		SenderMaxConnections: f.SenderMaxConnections, SenderMaxMessagesPerMinute: f.SenderMaxMessagesPerMinute, Version: f.Version,
	}
}

// editApplication shows the parameters; to somebody who may not change them, to read.
func (s *Server) editApplication(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.Settings.Application(r.Context())
	if err != nil {
		return err
	}
	return s.showApplication(w, r, http.StatusOK, stored, stored, &ui.FormView{})
}

// saveApplication stores the parameters.
func (s *Server) saveApplication(w http.ResponseWriter, r *http.Request) error {
	var f applicationForm
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	all, err := form.Join(wrong, f.application().Validate().Err())
	if err == nil {
		err = all.Err()
	}
	if err == nil {
		_, err = s.Settings.Save(r.Context(), f.application())
	}
	if err != nil {
		return s.returnApplication(w, r, f.application(), typed, err)
	}
	return s.redirect(w, r, applicationPath, ui.Said("The application parameters are saved. They hold from now on."))
}

// returnApplication shows the form again with what stood in the way.
func (s *Server) returnApplication(w http.ResponseWriter, r *http.Request, f setting.Application, typed form.Typed, why error) error {
	v := &ui.FormView{Typed: typed}
	stored, err := s.Settings.Application(r.Context())
	if err != nil {
		return err
	}
	switch {
	case errors.As(why, &v.Problems):
		return s.showApplication(w, r, http.StatusUnprocessableEntity, f, stored, v)
	case errors.As(why, &v.Conflict):
		if v.Conflict, err = s.nameConnectors(r.Context(), *v.Conflict); err != nil {
			return err
		}
		f.Version = stored.Version // saving again is a decision now
		return s.showApplication(w, r, http.StatusConflict, f, stored, v)
	}
	return why
}

// nameConnectors puts names in the place of ids.
func (s *Server) nameConnectors(ctx context.Context, c problem.Conflict) (*problem.Conflict, error) {
	ways, err := s.ways(ctx)
	if err != nil {
		return nil, err
	}
	for i, change := range c.Changed {
		if change.Field == "default_network_connector_id" {
			c.Changed[i].Stored, c.Changed[i].Yours = ways.nameText(change.Stored), ways.nameText(change.Yours)
		}
	}
	return &c, nil
}

// showApplication shows the form with values; stored says who changed the parameters last.
func (s *Server) showApplication(w http.ResponseWriter, r *http.Request, status int, values, stored setting.Application, v *ui.FormView) error {
	ways, err := s.ways(r.Context())
	if err != nil {
		return err
	}
	v.Action, v.Submit, v.Version = applicationPath, "Save", values.Version
	v.ReadOnly = !identity.UserFrom(r.Context()).Role.CanChange()
	v.Aside = page.ApplicationAside(ui.SummaryView{
		URL: applicationPath + "/summary", Title: "In short", Content: page.ApplicationSummary(ways.summary(values)),
	}, s.clock(r).At(stored.ChangedAt), stored.ChangedBy)
	view := page.ApplicationView{Form: v, Values: values, Connectors: ways.defaults()}
	return s.show(w, r, status, "System Parameters", page.Application(view))
}

// applicationSummary answers the form while somebody types.
func (s *Server) applicationSummary(w http.ResponseWriter, r *http.Request) error {
	var f applicationForm
	_, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	ways, err := s.ways(r.Context())
	if err != nil {
		return err
	}
	v := ways.summary(f.application())
	v.Unfinished = v.Unfinished || len(wrong) > 0
	return s.render(w, r, http.StatusOK, page.ApplicationSummary(v))
}

// summary says in words what the values mean.
func (ways ways) summary(a setting.Application) page.ApplicationSummaryView {
	return page.ApplicationSummaryView{Values: a, Way: ways.words(a.DefaultConnectorID), Unfinished: len(a.Validate()) > 0}
}

// nameText names the connector whose id stands in text.
func (ways ways) nameText(text string) string {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return text // a word already
	}
	return ways.name(id)
}
