package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/connector"
	"orbit/internal/identity"
	"orbit/web/page"
	"orbit/web/ui"
)

const (
	agentStatusPath = connectorsPath + "/status"
	agentLogsPath   = connectorsPath + "/logs"
	agentsPath      = connectorsPath + "/agents"
)

func (s *Server) agentRoutes(r *router) {
	if s.Agents == nil {
		return
	}
	r.get(agentStatusPath, view, s.showAgentStatus)
	r.get(agentLogsPath, view, s.listAgentEvents)
	r.get(connectorsPath+"/{id}/enrol", change, s.askEnrol)
	r.post(connectorsPath+"/{id}/enrol", change, s.confirmed(s.enrolAgent))
	r.get(agentsPath+"/{id}/revoke", change, s.askRevokeAgent)
	r.post(agentsPath+"/{id}/revoke", change, s.revokeAgent)
	r.get(agentsPath+"/{id}/delete", change, s.askDeleteAgent)
	r.post(agentsPath+"/{id}/delete", change, s.deleteAgent)
}

// linkAgents adds to the report of connectors what there is about agents.
func (s *Server) linkAgents(v ui.ReportView, all []connector.Connector, role identity.Role) ui.ReportView {
	if s.Agents == nil {
		return v
	}
	v.Actions = append(v.Actions,
		ui.MenuItem{Label: "Status of agents", Icon: "heartbeat", Href: agentStatusPath}, ui.MenuItem{Label: "Logs", Icon: "file-text", Href: agentLogsPath})
	for i, c := range all {
		if c.Kind == connector.KindAgent && role.CanChange() {
			at := page.ConnectorPath(c.ID) + "/enrol"
			v.Rows[i].Menu = append([]ui.MenuItem{
				{Label: "Add an agent", Icon: "plus", Href: at, Window: true},
				{Label: "Add a secondary agent", Icon: "plus", Href: at + "?secondary=yes", Window: true},
			}, v.Rows[i].Menu...)
		}
	}
	return v
}

// showAgentStatus shows who is connected, since when, and what goes through.
func (s *Server) showAgentStatus(w http.ResponseWriter, r *http.Request) error {
	overview, err := s.Agents.Overview(r.Context())
	if err != nil {
		return err
	}
	troubles, err := s.Agents.Trouble(r.Context())
	if err != nil {
		return err
	}
	clock := s.clock(r)
	v := page.AgentStatusView{Report: agentsReport(overview, identity.UserFrom(r.Context()).Role, clock)}
	v.Report.Note = page.AgentCards(agentFacts(overview, clock.Now), troubles)
	if v.Trends, err = s.agentTrends(r.Context(), overview, clock); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "Status", page.AgentStatus(v))
}

func agentFacts(o connector.AgentOverview, now time.Time) []ui.Fact {
	status, uptime := "Not listening", "–"
	if o.Listening {
		status, uptime = "Listening", now.Sub(*o.Since).Truncate(time.Second).String()
	}
	return []ui.Fact{
		{Label: "Status", Value: status}, {Label: "Uptime", Value: uptime}, {Label: "Total agents", Value: strconv.Itoa(o.Agents)},
		{Label: "Primary online", Value: strconv.Itoa(o.Primary)}, {Label: "Secondary online", Value: strconv.Itoa(o.Secondary)},
		{Label: "Active connections", Value: strconv.FormatInt(o.Tunnels, 10)},
	}
}

func agentsReport(o connector.AgentOverview, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "Network Connectors: status", Path: agentStatusPath, RowsNoun: "agents",
		About: "The agents in other networks: who is connected, how far away they are, and what goes through them.",
		Columns: []ui.Column{
			{Label: "Name"}, {Label: "Connector"}, {Label: "Port", Right: true}, {Label: "Role"}, {Label: "State"}, {Label: "IP"}, {Label: "Since"},
			{Label: "Round trip", Right: true}, {Label: "Tunnels", Right: true}, {Label: "To agent", Right: true}, {Label: "From agent", Right: true}, {Label: "Version"},
		},
		Actions: []ui.MenuItem{{Label: "Logs", Icon: "file-text", Href: agentLogsPath}, {Label: "Connectors", Icon: "route", Href: connectorsPath}},
		Empty: ui.EmptyView{
			Icon: "route", Title: "No agent yet",
			Text: "An agent is a small program in another network that calls in here and opens connections there. Register a network connector of the kind Agent, and choose Add an agent in its menu.",
		},
	}
	if role.CanChange() {
		v.Empty.New = &ui.Link{Label: "New connector", Href: connectorsPath + "/new"}
	}
	for _, c := range o.Connectors {
		for _, a := range c.Agents {
			v.Rows = append(v.Rows, agentRow(c, a, role, clock))
		}
	}
	v.Page, v.PerPage, v.Total = 1, max(1, len(v.Rows)), len(v.Rows)
	return v
}

func agentRow(c connector.AgentConnector, a connector.AgentRow, role identity.Role, clock ui.Clock) ui.Row {
	since, trip := a.SeenAt, ""
	if a.Connected {
		since = a.Since
		trip = (time.Duration(a.Latency) * time.Microsecond).Round(10 * time.Microsecond).String()
	}
	row := ui.Row{
		ID: "agent-" + strconv.FormatInt(a.ID, 10), Name: a.Name, Muted: a.RevokedAt != nil,
		Cells: []templ.Component{
			ui.NameCell(a.Name, ""), ui.TextCell(c.Name), ui.TextCell(portText(c.Port)), ui.TextCell(a.Role()), page.AgentState(a), ui.TextCell(a.Address),
			ui.RelativeTime(clock.Moment(since)), ui.TextCell(trip), ui.TextCell(strconv.FormatInt(a.TunnelsOpen, 10)),
			ui.TextCell(page.Bytes(a.BytesUp)), ui.TextCell(page.Bytes(a.BytesDown)), ui.TextCell(a.Version),
		},
	}
	switch at := agentsPath + "/" + strconv.FormatInt(a.ID, 10); {
	case !role.CanChange():
	case a.RevokedAt == nil:
		row.Menu = []ui.MenuItem{{Label: "Revoke", Icon: "ban", Href: at + "/revoke", Window: true, Danger: true}}
	default:
		row.Menu = []ui.MenuItem{{Label: "Delete", Icon: "trash", Href: at + "/delete", Window: true, Danger: true}}
	}
	return row
}

// trendLength is how far back the graphs go, and trendPoints how many points they have at most.
const (
	trendLength = 6 * time.Hour
	trendPoints = 120
)

func (s *Server) agentTrends(ctx context.Context, o connector.AgentOverview, clock ui.Clock) ([]ui.TrendView, error) {
	var trends []ui.TrendView
	for _, c := range o.Connectors {
		for _, a := range c.Agents {
			if a.RevokedAt != nil {
				continue
			}
			samples, err := s.Agents.Latencies(ctx, a.ID, clock.Now.Add(-trendLength))
			if err != nil {
				return nil, err
			}
			if len(samples) > 1 {
				trends = append(trends, agentTrend(a, samples, clock))
			}
		}
	}
	return trends, nil
}

func agentTrend(a connector.AgentRow, samples []connector.LatencySample, clock ui.Clock) ui.TrendView {
	v := ui.TrendView{
		ID: "latency-" + strconv.FormatInt(a.ID, 10), Title: "Round trip to " + a.Name, Zone: clock.Zone,
		About: "The median of each minute over the last hours. The newest is in the table above.",
	}
	each := max(1, len(samples)/trendPoints)
	for i := 0; i < len(samples); i += each {
		took := time.Duration(samples[i].Microseconds) * time.Microsecond
		v.Points = append(v.Points, ui.TrendPoint{At: samples[i].At, Took: took, Words: took.String() + ", " + clock.At(samples[i].At).Exact()})
	}
	return v
}

// askEnrol is the window before a token is made.
func (s *Server) askEnrol(w http.ResponseWriter, r *http.Request) error {
	c, err := s.pathConnector(r)
	if err != nil {
		return err
	}
	what, values := "an agent", map[string]string{}
	if r.URL.Query().Get("secondary") != "" {
		what, values["secondary"] = "a secondary agent", "yes"
	}
	return s.askAgent(w, r, ui.ConfirmView{
		Title: "Add " + what + " to " + c.Name + "?", Action: r.URL.Path, Submit: "Make a command", Back: connectorsPath,
		Text: "You get one command for a machine in the other network. Its token enrols one agent, once, within 24 hours. Two agents are " +
			"recommended: a secondary one carries while no primary one is there.",
		Values: values, Password: s.mustConfirm(r),
	})
}

func (s *Server) askAgent(w http.ResponseWriter, r *http.Request, v ui.ConfirmView) error {
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

// enrolAgent answers with the token itself. It is the only page that ever shows it, so there is no redirect.
func (s *Server) enrolAgent(w http.ResponseWriter, r *http.Request) error {
	c, err := s.pathConnector(r)
	if err != nil {
		return err
	}
	e, err := s.Agents.Enrol(r.Context(), c.ID)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "New agent", page.Enrolled(page.EnrolView{
		Invitation: e.Invite([]string{s.BaseURL.Hostname()}, s.Agents.Port(), r.FormValue("secondary") != ""),
		Expires:    s.clock(r).At(e.ExpiresAt).Exact(), Back: agentStatusPath,
	}))
}

// askRevokeAgent names the consequence first.
func (s *Server) askRevokeAgent(w http.ResponseWriter, r *http.Request) error {
	a, err := s.pathAgent(r)
	if err != nil {
		return err
	}
	return s.askAgent(w, r, ui.ConfirmView{
		Title: "Revoke agent " + a.Name + "?", Action: r.URL.Path, Submit: "Revoke", Danger: true, Back: agentStatusPath,
		Text: "Its " + strconv.FormatInt(a.TunnelsOpen, 10) + " open connections end at once, and it is never let in again. To use the machine again, add it as a new agent.",
	})
}

func (s *Server) revokeAgent(w http.ResponseWriter, r *http.Request) error {
	a, err := s.pathAgent(r)
	if err != nil {
		return err
	}
	if _, err := s.Agents.Revoke(r.Context(), a.ID); err != nil {
		return err
	}
	return s.redirect(w, r, agentStatusPath, ui.Said("Agent "+a.Name+" is revoked."))
}

// askDeleteAgent asks before a revoked agent leaves the report.
func (s *Server) askDeleteAgent(w http.ResponseWriter, r *http.Request) error {
	a, err := s.pathAgent(r)
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "Delete agent " + a.Name + "?", Action: r.URL.Path, Submit: "Delete agent", Danger: true, Back: agentStatusPath,
		Text: "It was revoked and leaves this list. Its key stays unknown here: it is not let in again.",
	}
	if a.RevokedAt == nil {
		v.Text, v.Refused = "This agent is in use.", "Revoke it first."
	}
	return s.askAgent(w, r, v)
}

func (s *Server) deleteAgent(w http.ResponseWriter, r *http.Request) error {
	a, err := s.pathAgent(r)
	if err != nil {
		return err
	}
	if err := s.Agents.Forget(r.Context(), a.ID); err != nil {
		return err
	}
	return s.redirect(w, r, agentStatusPath, ui.Said("Agent "+a.Name+" is deleted."))
}

func (s *Server) pathAgent(r *http.Request) (connector.AgentRow, error) {
	id, err := pathID(r)
	if err != nil {
		return connector.AgentRow{}, err
	}
	return s.Agents.FindAgent(r.Context(), id)
}

// agentFilters is the row of filters above the log.
type agentFilters struct {
	Connector int64  `form:"connector"`
	Level     string `form:"level"`
	From      string `form:"from"`
	Before    int64  `form:"before"`
}

// listAgentEvents is the log of the connectors, the newest first.
func (s *Server) listAgentEvents(w http.ResponseWriter, r *http.Request) error {
	var f agentFilters
	listing := readListing(r, "", &f)
	rows, err := s.reportRows(r.Context())
	if err != nil {
		return err
	}
	clock := s.clock(r)
	filter := connector.AgentEventFilter{ConnectorID: f.Connector, Level: connector.AgentLevel(f.Level), Before: f.Before, Limit: rows}
	if day, err := time.ParseInLocation(time.DateOnly, f.From, clock.Zone); err == nil {
		filter.Since = day
	}
	if wantsCSV(r) {
		filter.Limit = mostExported
	}
	events, err := s.Agents.Events(r.Context(), filter)
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "network-connector-logs", agentEventColumns, agentEventCSV(events))
	}
	ways, err := s.ways(r.Context())
	if err != nil {
		return err
	}
	v := listing.report(agentEventsReport(events, ways, clock), max(1, len(events)), len(events))
	if len(events) == rows {
		query := r.URL.Query()
		query.Set("before", strconv.FormatInt(events[0].ID, 10))
		v.Older = agentLogsPath + "?" + query.Encode()
	}
	return s.show(w, r, http.StatusOK, "Logs", ui.Report(v))
}

func agentEventsReport(events []connector.AgentEvent, ways ways, clock ui.Clock) ui.ReportView {
	agentKind := func(c connector.Connector) bool { return c.Kind == connector.KindAgent }
	v := ui.ReportView{
		Title: "Network Connectors: logs", Path: agentLogsPath, CanCSV: true, RowsNoun: "entries", Naming: 5,
		About: "Agents that came, went, were let in, refused or revoked. Kept for 30 days.",
		Filters: []ui.Field{
			{Name: "connector", Label: "Connector", Options: ways.options(agentKind)},
			{Name: "level", Label: "Level", Options: []ui.Option{{Value: "info", Label: "Information"}, {Value: "warning", Label: "Warning"}, {Value: "error", Label: "Error"}}},
			{Name: "from", Label: "From", Attributes: templ.Attributes{"type": "date"}},
		},
		Columns: []ui.Column{
			{Label: "Code", Right: true}, {Label: "Date/Time"}, {Label: "Level"}, {Label: "IP"}, {Label: "Port", Right: true}, {Label: "Message", Wide: true}, {Label: "Operation"},
		},
		Actions: []ui.MenuItem{{Label: "Status of agents", Icon: "heartbeat", Href: agentStatusPath}, {Label: "Connectors", Icon: "route", Href: connectorsPath}},
		Empty:   ui.EmptyView{Icon: "file-text", Title: "Nothing has happened yet", Text: "When agents come and go, it stands here."},
	}
	for i := len(events) - 1; i >= 0; i-- {
		e := events[i]
		v.Rows = append(v.Rows, ui.Row{
			ID: "event-" + strconv.FormatInt(e.ID, 10), Name: "entry " + strconv.FormatInt(e.ID, 10),
			Cells: []templ.Component{
				ui.TextCell(strconv.FormatInt(e.ID, 10)), ui.ExactTime(clock.At(e.At)), page.AgentLevelCell(e.Level), ui.TextCell(e.Address),
				ui.TextCell(portText(e.Port)), ui.TextCell(e.Message), ui.TextCell(strings.ReplaceAll(e.Operation, "_", " ")),
			},
		})
	}
	return v
}

var agentEventColumns = []string{"Code", "Date/Time (UTC)", "Level", "IP", "Port", "Message", "Operation"}

func agentEventCSV(events []connector.AgentEvent) [][]string {
	lines := make([][]string, len(events))
	for i, e := range events {
		lines[i] = []string{strconv.FormatInt(e.ID, 10), utc(&e.At), string(e.Level), e.Address, portText(e.Port), e.Message, e.Operation}
	}
	return lines
}
