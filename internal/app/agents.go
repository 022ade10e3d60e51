package app

import (
	"context"

	"orbit/internal/connector"
	"orbit/web/ui"
)

// assembleAgents builds the server's side of network connector agents, and the way through them.
func (o *Orbit) assembleAgents() (err error) {
	o.Agents, err = connector.NewAgents(connector.AgentOptions{
		Pool: o.Pool, Box: o.Box, Listen: o.Config.ConnectorListen, Version: Version, Log: o.Log,
	})
	o.Connectors.Tunnels = o.Agents
	return err
}

// agentsAttention is what the bell says of network connectors whose agents are away.
func (o *Orbit) agentsAttention(ctx context.Context) ([]ui.NoticeView, error) {
	trouble, err := o.Agents.Trouble(ctx)
	notices := make([]ui.NoticeView, len(trouble))
	for i, text := range trouble {
		notices[i] = ui.NoticeView{Tone: ui.Bad, Href: "/settings/network-connectors/status", Text: text}
	}
	return notices, err
}
