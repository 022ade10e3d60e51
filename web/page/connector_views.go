package page

import (
	"net/url"
	"strconv"

	"orbit/internal/connector"
	"orbit/web/ui"
)

// ConnectorDetailsView is what is known of a connector.
type ConnectorDetailsView struct {
	Connector connector.Connector
	Username  string // who signs in there
	Uses      []connector.Use
	Clock     ui.Clock
}

func (v ConnectorDetailsView) facts() []ui.Fact {
	c := v.Connector
	_, state := ConnectorState(c)
	facts := []ui.Fact{{Label: "Name", Value: c.Name}, {Label: "Kind", Value: c.Kind.Words()}, {Label: "Status", Value: state}}
	if c.Kind.Dialled() {
		facts = append(facts, ui.Fact{Label: "IP or name", Value: c.Address}, ui.Fact{Label: "Port", Value: strconv.Itoa(c.Port)},
			ui.Fact{Label: "Signs in as", Value: or(v.Username, "nobody")})
	}
	if c.Kind == connector.KindSSH {
		facts = append(facts, ui.Fact{Label: "Fingerprint", Value: or(c.Fingerprint, "not confirmed yet"), Mono: c.Fingerprint != ""})
	}
	if c.OfferedFingerprint != "" {
		facts = append(facts, ui.Fact{Label: "The server shows", Value: c.OfferedFingerprint, Mono: true})
	}
	return append(facts,
		ui.Fact{Label: "Registered", Value: v.when(c.CreatedBy, v.Clock.At(c.CreatedAt).Exact())},
		ui.Fact{Label: "Last change", Value: v.when(c.ChangedBy, v.Clock.At(c.ChangedAt).Exact())})
}

func (ConnectorDetailsView) when(by, at string) string {
	if by == "" {
		return at
	}
	return at + " by " + by
}

// ConnectorTestView is the window that tests a connector.
type ConnectorTestView struct {
	Connector  connector.Connector
	Form       *ui.FormView
	Action     string
	Request    connector.TestRequest
	Visit      *connector.Visit // nil: not tested yet
	Refused    string           // why there is no test
	ConfirmKey string           // where the host key is confirmed, when that is what stands in the way
}

func (v ConnectorTestView) hostHelp() string {
	if v.Connector.Kind == connector.KindDirect {
		return "The server to connect to."
	}
	return "Blank: the connector alone."
}

func (v ConnectorTestView) submit() string {
	if v.Visit == nil {
		return "Test"
	}
	return "Test again"
}

func (v ConnectorTestView) ladder() ui.LadderView {
	view := ui.LadderView{ID: "connector-ladder", Steps: v.Visit.Steps, Running: v.Visit.Running, Stream: v.stream()}
	if !view.Running {
		view.Final, view.Actions = v.verdict(), connectorTestActions(v)
	}
	return view
}

// stream is where the test runs while somebody watches.
func (v ConnectorTestView) stream() string {
	return v.Action + "/events?" + url.Values{"host": {v.Request.Host}, "port": {strconv.Itoa(v.Request.Port)}}.Encode()
}

// verdict is the result in words.
func (v ConnectorTestView) verdict() *ui.FlashView {
	switch direct := v.Connector.Kind == connector.KindDirect; {
	case v.Refused != "":
		return &ui.FlashView{Tone: ui.Bad, Text: v.Refused}
	case !v.Visit.Works:
		return &ui.FlashView{Tone: ui.Bad, Text: v.stopped()}
	case v.Request.Host == "":
		return &ui.FlashView{Tone: ui.Good, Text: v.Connector.Name + " can be reached."}
	case direct:
		return &ui.FlashView{Tone: ui.Good, Text: v.Request.Host + " can be reached directly."}
	}
	return &ui.FlashView{Tone: ui.Good, Text: v.Request.Host + " can be reached through " + v.Connector.Name + "."}
}

// stopped says where the attempt ended; the step itself says why.
func (v ConnectorTestView) stopped() string {
	if v.Visit.FailedAt == "" {
		return v.Visit.Fault.Cause
	}
	return "It did not get further than: " + v.Visit.FailedAt + "."
}

func portText(port int) string {
	if port == 0 {
		return ""
	}
	return strconv.Itoa(port)
}
