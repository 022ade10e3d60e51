package api

import (
	"net/http"
	"time"

	"orbit/internal/connector"
	"orbit/internal/identity"
)

// connectorAgents are the programs in other networks that carry for connectors of the kind agent.
func (a *api) connectorAgents() {
	if a.Agents == nil {
		return
	}
	register(a, operation{"list-connector-agents", http.MethodGet, "/network-connector-agents", "List the agents of network connectors, revoked ones last", connectorTag, identity.Auditor, 0}, a.listAgents)
	register(a, operation{"show-connector-agent", http.MethodGet, "/network-connector-agents/{id}", "Show an agent", connectorTag, identity.Auditor, 0}, a.showAgent)
	register(a, operation{"enrol-connector-agent", http.MethodPost, "/network-connectors/{id}/enrol", "Make a token with which one agent enrols, once", connectorTag, identity.Administrator, http.StatusCreated}, a.enrolAgent)
	register(a, operation{"revoke-connector-agent", http.MethodPost, "/network-connector-agents/{id}/revoke", "Cut an agent off, now and for good", connectorTag, identity.Administrator, 0}, a.revokeAgent)
	register(a, operation{"delete-connector-agent", http.MethodDelete, "/network-connector-agents/{id}", "Forget an agent that was revoked", connectorTag, identity.Administrator, http.StatusNoContent}, a.deleteAgent)
	register(a, operation{"show-connector-status", http.MethodGet, "/network-connector-agents/status", "Show which agents are connected, and what goes through them", connectorTag, identity.Auditor, 0}, a.showAgentStatus)
	register(a, operation{"read-connector-log", http.MethodGet, "/network-connector-agents/log", "Read who came and went, the oldest line first", connectorTag, identity.Auditor, 0}, a.readAgentLog)
}

type listAgentsInput struct {
	Connector int64 `query:"network_connector_id" doc:"Only agents of this connector"`
}

type listAgentsOutput struct {
	Body struct {
		Items []connector.AgentRow `json:"items" nullable:"false"`
	}
}

func (a *api) listAgents(c *call, i *listAgentsInput) (*listAgentsOutput, error) {
	all, err := a.Agents.List(c, i.Connector)
	output := &listAgentsOutput{}
	output.Body.Items = append([]connector.AgentRow{}, all...)
	return output, err
}

type agentOutput struct{ Body connector.AgentRow }

func (a *api) showAgent(c *call, i *IDInput) (*agentOutput, error) {
	found, err := a.Agents.FindAgent(c, i.ID)
	return &agentOutput{found}, err
}

type enrolInput struct {
	IDInput
	Body *struct {
		Addresses []string `json:"addresses,omitempty" doc:"Host, or host:port, under which the agent reaches Orbit; absent: that of the pages"`
		Secondary bool     `json:"secondary,omitempty" doc:"The agent carries while no primary one is there"`
	} `required:"false"`
}

type enrolOutput struct{ Body connector.Invitation }

func (a *api) enrolAgent(c *call, i *enrolInput) (*enrolOutput, error) {
	e, err := a.Agents.Enrol(c, i.ID)
	if err != nil {
		return nil, err
	}
	addresses, secondary := []string{a.Host}, false
	if i.Body != nil {
		secondary = i.Body.Secondary
		if len(i.Body.Addresses) > 0 {
			addresses = i.Body.Addresses
		}
	}
	return &enrolOutput{e.Invite(addresses, a.Agents.Port(), secondary)}, nil
}

func (a *api) revokeAgent(c *call, i *IDInput) (*agentOutput, error) {
	if _, err := a.Agents.Revoke(c, i.ID); err != nil {
		return nil, err
	}
	return a.showAgent(c, i)
}

func (a *api) deleteAgent(c *call, i *IDInput) (*struct{}, error) {
	return nil, a.Agents.Forget(c, i.ID)
}

type agentStatusOutput struct{ Body connector.AgentOverview }

func (a *api) showAgentStatus(c *call, _ *struct{}) (*agentStatusOutput, error) {
	overview, err := a.Agents.Overview(c)
	return &agentStatusOutput{overview}, err
}

type agentLogInput struct {
	Connector int64                `query:"network_connector_id" doc:"Only lines about this connector"`
	Level     connector.AgentLevel `query:"level" enum:"info,warning,error" doc:"Only lines of this level"`
	Since     time.Time            `query:"since" doc:"Only lines from this time on"`
	After     int64                `query:"after" doc:"Only lines behind the one with this id: the first ones, to go on with"`
	Before    int64                `query:"before" doc:"Only lines in front of the one with this id: the last ones, to go back"`
	Limit     int                  `query:"limit" minimum:"1" maximum:"1000" default:"200"`
}

type agentLogOutput struct {
	Body struct {
		Items []connector.AgentEvent `json:"items" nullable:"false"`
	}
}

func (a *api) readAgentLog(c *call, i *agentLogInput) (*agentLogOutput, error) {
	events, err := a.Agents.Events(c, connector.AgentEventFilter{
		ConnectorID: i.Connector, Level: i.Level, Since: i.Since, After: i.After, Before: i.Before, Limit: i.Limit,
	})
	output := &agentLogOutput{}
	output.Body.Items = append([]connector.AgentEvent{}, events...)
	return output, err
}
