package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"orbit/internal/connector"
	"orbit/internal/identity"
	"orbit/web/page"
	"orbit/web/ui"
)

const connectorsPath = page.ConnectorsPath

// listConnectors shows every connector on one page: an installation has a few.
func (s *Server) listConnectors(w http.ResponseWriter, r *http.Request) error {
	ways, err := s.ways(r.Context())
	if err != nil {
		return err
	}
	if wantsCSV(r) {
		return s.csv(w, "network-connectors", connectorCSVColumns, connectorCSV(ways.all))
	}
	role := identity.UserFrom(r.Context()).Role
	v := s.linkAgents(connectorsReport(ways, role, s.clock(r)), ways.all, role)
	v.Page, v.PerPage, v.Total = 1, max(1, len(ways.all)), len(ways.all)
	return s.show(w, r, http.StatusOK, v.Title, ui.Report(v))
}

func connectorsReport(ways ways, role identity.Role, clock ui.Clock) ui.ReportView {
	v := ui.ReportView{
		Title: "Network Connectors", Path: connectorsPath, CanCSV: true, RowsNoun: "connectors", Naming: 1,
		About: "How connections to mail servers leave this machine: directly, or through a connector in another network.",
		Columns: []ui.Column{
			{Label: "Code", Right: true}, {Label: "Name"}, {Label: "Kind"}, {Label: "IP or name"}, {Label: "Port"},
			{Label: "Registration date"}, {Label: "Last change"}, {Label: "Active"},
		},
		Note: page.DefaultConnectorNote(ways.words(ways.usual), applicationPath),
	}
	if role.CanChange() {
		v.New = &ui.Link{Label: "New", Href: connectorsPath + "/new"}
	}
	for _, c := range ways.all {
		v.Rows = append(v.Rows, connectorRow(c, ways.isDefault(c), role, clock))
	}
	return v
}

func connectorRow(c connector.Connector, usual bool, role identity.Role, clock ui.Clock) ui.Row {
	href := page.ConnectorPath(c.ID)
	if c.Kind == connector.KindDirect {
		href = ""
	}
	return ui.Row{
		ID: "connector-" + strconv.FormatInt(c.ID, 10), Name: c.Name, Muted: !c.Active, Menu: connectorMenu(c, role),
		Cells: []templ.Component{
			ui.TextCell(strconv.FormatInt(c.ID, 10)), page.ConnectorName(c, usual, href), ui.TextCell(c.Kind.Words()),
			ui.TextCell(c.Address), ui.TextCell(portText(c.Port)), ui.ExactTime(clock.At(c.CreatedAt)),
			ui.ExactTime(clock.At(c.ChangedAt)), page.Enabled(c.Active),
		},
	}
}

// connectorMenu is what can be done with a connector; the direct connection can only be tested.
func connectorMenu(c connector.Connector, role identity.Role) []ui.MenuItem {
	at := page.ConnectorPath(c.ID)
	var items []ui.MenuItem
	own := c.Kind != connector.KindDirect
	if own && role.CanChange() {
		items = append(items, ui.MenuItem{Label: "Edit", Icon: "edit", Href: at})
	} else if own {
		items = append(items, ui.MenuItem{Label: "View", Icon: "eye", Href: at})
	}
	items = append(items, ui.MenuItem{Label: "Details", Icon: "list-details", Href: at + "/details", Window: true})
	if role.CanTest() {
		items = append(items, ui.MenuItem{Label: "Test connector", Icon: "plug-connected", Href: at + "/test", Window: true})
	}
	if !own || !role.CanChange() {
		return items
	}
	if c.OfferedFingerprint != "" {
		items = append(items, ui.MenuItem{Label: "Confirm host key", Icon: "fingerprint", Href: at + "/host-key", Window: true})
	}
	if c.Active {
		items = append(items, ui.MenuItem{Label: "Inactivate", Icon: "player-pause", Href: at + "/inactivate", Window: true})
	} else {
		items = append(items, ui.MenuItem{Label: "Activate", Icon: "player-play", Href: at + "/activate", Post: true})
	}
	return append(items, ui.MenuItem{Label: "Delete", Icon: "trash", Href: at + "/delete", Window: true, Danger: true, Divider: true})
}

func portText(port int) string {
	if port == 0 {
		return ""
	}
	return strconv.Itoa(port)
}

var connectorCSVColumns = []string{
	"Code", "Name", "Kind", "IP or name", "Port", "Registration date (UTC)", "Last change (UTC)", "Active",
}

func connectorCSV(all []connector.Connector) [][]string {
	lines := make([][]string, len(all))
	for i, c := range all {
		lines[i] = []string{
			strconv.FormatInt(c.ID, 10), c.Name, c.Kind.Words(), c.Address, portText(c.Port), utc(&c.CreatedAt), utc(&c.ChangedAt), yesNo(c.Active),
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
			label += " (" + c.Kind.Words() + ")"
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
