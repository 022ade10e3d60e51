package page

import (
	"strconv"
	"strings"

	"orbit/internal/connector"
	"orbit/web/ui"
)

// ConnectorsPath is where network connectors are.
const ConnectorsPath = "/settings/network-connectors"

// ConnectorPath is the page of a connector.
func ConnectorPath(id int64) string { return ConnectorsPath + "/" + strconv.FormatInt(id, 10) }

// ConnectorFormView is the form of a network connector.
type ConnectorFormView struct {
	Form        *ui.FormView
	Connector   connector.Connector // zero: a new one
	Values      connector.Settings
	Credentials []ui.Option
	AskPassword bool
	Summary     ConnectorSummaryView
}

// Title of the page.
func (v ConnectorFormView) Title() string {
	if v.Connector.ID == 0 {
		return "New network connector"
	}
	return v.Connector.Name
}

func (v ConnectorFormView) kind() ui.Field {
	f := ui.Field{
		Name: "kind", Label: "Kind", Value: string(v.Values.Kind), Required: true,
		Options: []ui.Option{
			{Value: string(connector.KindAgent), Label: "Agent", Help: "A program of Orbit on a machine of the other network. It connects to Orbit, so no port has to be opened there."},
			{Value: string(connector.KindSOCKS5), Label: "SOCKS5", Help: "A SOCKS5 proxy, usually port 1080"},
			{Value: string(connector.KindHTTPConnect), Label: "HTTP CONNECT", Help: "An HTTP proxy such as Squid, usually port 3128 or 8080"},
			{Value: string(connector.KindSSH), Label: "SSH", Help: "A machine with an SSH server that may forward connections, usually port 22"},
		},
	}
	if v.Connector.ID == 0 {
		return f
	}
	wasAgent := v.Connector.Kind == connector.KindAgent // an agent stays one, and nothing else becomes one
	for i, o := range f.Options {
		f.Options[i].Disabled = (o.Value == string(connector.KindAgent)) != wasAgent
	}
	return f
}

// dialled are the kinds that Orbit connects to.
func (v ConnectorFormView) dialled() ui.Condition {
	return ui.WhenIs("kind", string(v.Values.Kind), string(connector.KindSOCKS5), string(connector.KindHTTPConnect), string(connector.KindSSH))
}

func (v ConnectorFormView) address() ui.Field {
	return ui.Field{
		Name: "address", Label: "IP or name", Value: v.Values.Address, Required: true, Placeholder: "gate.example.com", ShownWhen: v.dialled(),
		Help: "Of the proxy or server, as this machine reaches it.",
	}
}

func (v ConnectorFormView) port() ui.Field {
	f := ui.Field{Name: "port", Label: "Port", Help: "Blank: 1080 for SOCKS5, 3128 for HTTP CONNECT, 22 for SSH.", ShownWhen: v.dialled()}
	if v.Values.Port != 0 {
		f.Value = strconv.Itoa(v.Values.Port)
	}
	return f
}

func (v ConnectorFormView) credential() ui.Field {
	return ui.Field{
		Name: "credential_id", Label: "Credential", Value: idText(v.Values.CredentialID), Options: v.Credentials, ShownWhen: v.dialled(),
		Help: "Blank when it wants no sign-in. An SSH server always wants one; there the secret is a password or a private key.",
	}
}

func (v ConnectorFormView) newCredential(name, label, help string) ui.Field {
	return ui.Field{
		Name: name, Label: label, Help: help, Required: true,
		ShownWhen: ui.WhenIs("credential_id", idText(v.Values.CredentialID), strconv.Itoa(connector.NewCredentialID)),
	}
}

func (v ConnectorFormView) secret() ui.Field {
	return ui.Field{
		Name: "secret", Label: "Password or private key", Stored: v.Connector.CredentialID != 0, ShownWhen: v.dialled(),
		Help: "Needed for a new credential, and once for each address that a stored one goes to. A private key is pasted as it stands in its file.",
	}
}

func (v ConnectorFormView) fingerprint() ui.Field {
	return ui.Field{
		Name: "fingerprint", Label: "Fingerprint", Value: v.Values.Fingerprint, Mono: true, Placeholder: "SHA256:",
		Help:      "Of the server's host key, as ssh-keygen -l prints it. Blank: test the connector, compare the key that Orbit shows, and confirm it.",
		ShownWhen: ui.WhenIs("kind", string(v.Values.Kind), string(connector.KindSSH)),
	}
}

// ConnectorSummaryView says in sentences what the values mean together.
type ConnectorSummaryView struct {
	Values   connector.Settings
	Username string // of the credential
}

// way names what connections go through: "the SOCKS5 proxy gate:1080".
func (v ConnectorSummaryView) way() string {
	noun := ""
	switch v.Values.Kind {
	case connector.KindAgent:
		return "an agent of Orbit in the other network"
	case connector.KindSOCKS5:
		noun = "SOCKS5 proxy"
	case connector.KindHTTPConnect:
		noun = "HTTP proxy"
	case connector.KindSSH:
		noun = "SSH server"
	case connector.KindDirect:
	}
	if v.Values.Address == "" {
		return article(noun) + " " + noun + " that you have not entered yet"
	}
	return "the " + noun + " " + v.Values.Server()
}

func (v ConnectorSummaryView) signIn() string {
	switch {
	case v.Values.Kind == connector.KindAgent:
		return "It signs in at Orbit with a key of its own."
	case v.Username != "":
		return "Orbit signs in there as " + v.Username + "."
	case v.Values.Kind == connector.KindSSH:
		return "No credential is chosen yet."
	}
	return "Orbit does not sign in there."
}

// ConnectorState is the state of a connector in a word, with its tone.
func ConnectorState(c connector.Connector) (ui.Tone, string) {
	switch {
	case !c.Active:
		return ui.Neutral, "Not active"
	case c.KeyUnconfirmed():
		return ui.Warning, "Host key not confirmed"
	case c.KeyChanged():
		return ui.Bad, "Host key changed"
	}
	return ui.Good, "Active"
}

// article is the one that a noun is spoken with: an HTTP proxy, a SOCKS5 proxy.
func article(noun string) string {
	if strings.HasPrefix(noun, "SOCKS") {
		return "a"
	}
	return "an"
}
