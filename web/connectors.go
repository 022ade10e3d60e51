package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"orbit/internal/connector"
	"orbit/web/page"
	"orbit/web/ui"
)

const connectorsPath = "/settings/network-connectors"

// listConnectors shows every connector on one page: an installation has a few.
func (s *Server) listConnectors(w http.ResponseWriter, r *http.Request) error {
	ways, err := s.ways(r.Context())
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "network-connectors", connectorCSVColumns, connectorCSV(ways.all))
	}
	v := connectorsReport(ways, s.clock(r))
	v.Page, v.PerPage, v.Total = 1, max(1, len(ways.all)), len(ways.all)
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(v))
}

func connectorsReport(ways ways, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "Network Connectors", Path: connectorsPath, CanCSV: true, RowsNoun: "connectors", Naming: 1,
		About: "How connections to mail servers leave this machine: directly, or through a connector in another network.",
		Columns: []ui.Column{
			{Label: "Code", Right: true}, {Label: "Name"}, {Label: "Kind"}, {Label: "Address"}, {Label: "Port"},
			{Label: "Registration date"}, {Label: "Last change"}, {Label: "Active"},
		},
		Note: page.DefaultConnectorNote(ways.words(ways.usual), applicationPath),
	}
	for _, c := range ways.all {
		v.Rows = append(v.Rows, ui.Row{
			ID: "connector-" + strconv.FormatInt(c.ID, 10), Name: c.Name, Muted: !c.Active,
			Cells: []templ.Component{
				ui.TextCell(strconv.FormatInt(c.ID, 10)), page.ConnectorName(c.Name, ways.isDefault(c)), ui.TextCell(kindWords(c.Kind)),
				ui.TextCell(c.Address), ui.TextCell(portText(c.Port)), ui.ExactTime(clock.At(c.CreatedAt)),
				ui.ExactTime(clock.At(c.ChangedAt)), page.Enabled(c.Active),
			},
		})
	}
	return v
}

func kindWords(k connector.Kind) string {
	switch k {
	case connector.KindDirect:
		return "Direct connection"
	case connector.KindAgent:
		return "Agent"
	case connector.KindSOCKS5:
		return "SOCKS5"
	case connector.KindHTTPConnect:
		return "HTTP CONNECT"
	case connector.KindSSH:
		return "SSH"
	}
	return string(k)
}

func portText(port int) string {
	if port == 0 {
		return ""
	}
	return strconv.Itoa(port)
}

var connectorCSVColumns = []string{
	"Code", "Name", "Kind", "Address", "Port", "Registration date (UTC)", "Last change (UTC)", "Active",
}

func connectorCSV(all []connector.Connector) [][]string {
	lines := make([][]string, len(all))
	for i, c := range all {
		lines[i] = []string{
			strconv.FormatInt(c.ID, 10), c.Name, kindWords(c.Kind), c.Address, portText(c.Port), utc(&c.CreatedAt), utc(&c.ChangedAt), yesNo(c.Active),
		}
	}
	return lines
}

// ways are the connectors as forms offer them and sentences name them.
type ways struct {
	all   []connector.Connector // direct first
	usual int64                 // the default of System Parameters; 0: direct
}

func (s *Server) ways(ctx context.Context) (ways, error) {
	all, err := s.Connectors.List(ctx)
	if err != nil {
		return ways{}, err
	}
	parameters, err := s.Settings.Application(ctx)
	return ways{all: all, usual: parameters.DefaultConnectorID}, err
}

// find returns a connector; what is gone is direct no longer, so it is not found.
func (ways ways) find(id int64) (connector.Connector, bool) {
	for _, c := range ways.all {
		if c.ID == id {
			return c, true
		}
	}
	return connector.Connector{}, false
}

// name is the connector's name; direct without one.
func (ways ways) name(id int64) string {
	if id == 0 {
		return "direct"
	}
	if c, found := ways.find(id); found {
		return c.Name
	}
	return "a connector that is gone"
}

// words go into a sentence: "Mails leave directly", "through agent-1".
func (ways ways) words(id int64) string {
	if c, found := ways.find(id); id == 0 || found && c.Kind == connector.KindDirect {
		return "directly"
	}
	return "through " + ways.name(id)
}

func (ways ways) isDefault(c connector.Connector) bool {
	return c.ID == ways.usual || ways.usual == 0 && c.Kind == connector.KindDirect
}

// options lists the connectors that pass keep.
func (ways ways) options(keep func(connector.Connector) bool) []ui.Option {
	var options []ui.Option
	for _, c := range ways.all {
		if !keep(c) {
			continue
		}
		label := c.Name
		if c.Kind != connector.KindDirect {
			label += " (" + kindWords(c.Kind) + ")"
		}
		if !c.Active {
			label += ", not active"
		}
		options = append(options, ui.Option{Value: strconv.FormatInt(c.ID, 10), Label: label})
	}
	return options
}

// defaults are the choices of System Parameters, where blank is direct.
func (ways ways) defaults() []ui.Option {
	notDirect := func(c connector.Connector) bool { return c.Kind != connector.KindDirect }
	return append([]ui.Option{{Label: "direct"}}, ways.options(notDirect)...)
}

// connectorOptions are the choices of an account, where blank is the default of System Parameters.
func (s *Server) connectorOptions(ctx context.Context) ([]ui.Option, error) {
	ways, err := s.ways(ctx)
	if err != nil {
		return nil, err
	}
	usual := ui.Option{Label: "Default of System Parameters (" + ways.name(ways.usual) + ")"}
	every := func(connector.Connector) bool { return true }
	return append([]ui.Option{usual}, ways.options(every)...), nil
}

// connectorName says how an account's connections leave; 0 is the default of System Parameters.
func (s *Server) connectorName(ctx context.Context, id int64) (string, error) {
	ways, err := s.ways(ctx)
	if id == 0 {
		id = ways.usual
	}
	return ways.words(id), err
}
