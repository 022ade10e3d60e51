package api

import (
	"context"
	"net/http"

	"orbit/internal/account"
	"orbit/internal/connector"
	"orbit/internal/identity"
	"orbit/internal/vault"
)

const connectorTag = "Network connectors"

func (a *api) networkConnectors() {
	register(a, operation{"list-network-connectors", http.MethodGet, "/network-connectors", "List network connectors, the direct connection first", connectorTag, identity.Auditor, 0}, a.listConnectors)
	register(a, operation{"create-network-connector", http.MethodPost, "/network-connectors", "Register a network connector", connectorTag, identity.Administrator, http.StatusCreated}, a.createConnector)
	register(a, operation{"show-network-connector", http.MethodGet, "/network-connectors/{id}", "Show a network connector", connectorTag, identity.Auditor, 0}, a.showConnector)
	register(a, operation{"change-network-connector", http.MethodPatch, "/network-connectors/{id}", "Change a network connector", connectorTag, identity.Administrator, 0}, a.changeConnector)
	register(a, operation{"delete-network-connector", http.MethodDelete, "/network-connectors/{id}", "Delete a network connector that nothing uses", connectorTag, identity.Administrator, http.StatusNoContent}, a.deleteConnector)
	register(a, operation{"test-network-connector", http.MethodPost, "/network-connectors/{id}/test", "Connect to a network connector, and on through it", connectorTag, identity.Operator, 0}, a.testConnector)
	register(a, operation{"confirm-host-key", http.MethodPost, "/network-connectors/{id}/confirm-host-key", "Confirm the host key that an SSH server offers", connectorTag, identity.Administrator, 0}, a.confirmHostKey)
	register(a, operation{"compare-smtp-paths", http.MethodPost, "/smtp-accounts/{id}/compare-paths", "Sign in directly and through every network connector", connectorTag, identity.Operator, 0}, a.comparing((*account.Service).VisitSMTP))
	register(a, operation{"compare-mailbox-paths", http.MethodPost, "/imap-pop3-accounts/{id}/compare-paths", "Sign in directly and through every network connector", connectorTag, identity.Operator, 0}, a.comparing((*account.Service).VisitMailbox))
}

// connectorBody is a network connector as programs write it. Defaults are those of the form.
type connectorBody struct {
	connector.Settings
	Version int          `json:"version,omitempty" doc:"The version that was read; absent: whatever is stored"`
	Secret  vault.Secret `json:"secret,omitzero" writeOnly:"true" doc:"The credential's secret; needed once for each address"`
}

func (b connectorBody) change() connector.Change {
	return connector.Change{Settings: b.Settings, Version: b.Version, Secret: b.Secret}
}

type connectorOutput struct{ Body connector.Connector }

type listConnectorsOutput struct {
	Body struct {
		Items []connector.Connector `json:"items" nullable:"false"`
		Next  string                `json:"next,omitempty"`
	}
}

func (a *api) listConnectors(c *call, i *Page) (*listConnectorsOutput, error) {
	all, err := a.Connectors.List(c)
	if err != nil {
		return nil, err
	}
	output := &listConnectorsOutput{}
	first := min((i.number()-1)*i.Limit, len(all))
	output.Body.Items = append([]connector.Connector{}, all[first:min(first+i.Limit, len(all))]...)
	output.Body.Next = i.next(len(all))
	return output, nil
}

type createConnectorInput struct{ Body partial[connectorBody] }

func (a *api) createConnector(c *call, i *createConnectorInput) (*connectorOutput, error) {
	body := connectorBody{Settings: connector.NewSettings()}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.Connectors.Create(c, body.change())
	return &connectorOutput{stored}, err
}

func (a *api) showConnector(c *call, i *IDInput) (*connectorOutput, error) {
	found, err := a.Connectors.Find(c, i.ID)
	return &connectorOutput{found}, err
}

type changeConnectorInput struct {
	IDInput
	Body partial[connectorBody]
}

// changeConnector also takes a connector out of use, for which no secret is asked whatever happened to it.
func (a *api) changeConnector(c *call, i *changeConnectorInput) (*connectorOutput, error) {
	found, err := a.Connectors.Find(c, i.ID)
	if err != nil {
		return nil, err
	}
	body := connectorBody{Settings: found.Settings, Version: found.Version}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	switched := found.Settings
	switched.Active = body.Active
	if body.Settings == switched && body.Version == found.Version && body.Secret.IsZero() {
		stored, err := a.Connectors.SetActive(c, i.ID, body.Active)
		return &connectorOutput{stored}, err
	}
	stored, err := a.Connectors.Save(c, i.ID, body.change())
	return &connectorOutput{stored}, err
}

func (a *api) deleteConnector(c *call, i *IDInput) (*struct{}, error) {
	return nil, a.Connectors.Delete(c, i.ID, 0)
}

type testConnectorInput struct {
	IDInput
	Body *connector.TestRequest `required:"false"`
}

type connectorVisitOutput struct{ Body connector.Visit }

func (a *api) testConnector(c *call, i *testConnectorInput) (*connectorVisitOutput, error) {
	var r connector.TestRequest
	if i.Body != nil {
		r = *i.Body
	}
	result, err := a.Connectors.Test(c, i.ID, r, nil)
	return &connectorVisitOutput{result}, err
}

type confirmHostKeyInput struct {
	IDInput
	Body struct {
		Fingerprint string `json:"fingerprint" doc:"The offered one, as you compared it with the server's: SHA256:..."`
	}
}

func (a *api) confirmHostKey(c *call, i *confirmHostKeyInput) (*connectorOutput, error) {
	stored, err := a.Connectors.ConfirmHostKey(c, i.ID, i.Body.Fingerprint)
	return &connectorOutput{stored}, err
}

type comparePathsOutput struct {
	Body struct {
		Items []connector.Path `json:"items" nullable:"false"`
	}
}

// comparing makes the operation for one kind of account.
func (a *api) comparing(visiting func(*account.Service, context.Context, int64) (account.Visit, error)) func(*call, *IDInput) (*comparePathsOutput, error) {
	return func(c *call, i *IDInput) (*comparePathsOutput, error) {
		visit, err := visiting(a.Accounts, c, i.ID)
		if err != nil {
			return nil, err
		}
		output := &comparePathsOutput{}
		output.Body.Items, err = a.Connectors.Compare(c, visit.To, nil)
		return output, err
	}
}
