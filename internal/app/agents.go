package app

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/connector"
	"orbit/web/page"
	"orbit/web/ui"
)

// assembleAgents builds the server's side of network connector agents, and the way through them.
func (o *Orbit) assembleAgents() (err error) {
	o.Agents, err = connector.NewAgents(connector.AgentOptions{
		Pool: o.Pool, Box: o.Box, Listen: o.Config.ConnectorListen, Version: Version, Log: o.Log,
	})
	if err != nil {
		return err
	}
	o.Connectors.Tunnels = o.Agents
	o.Agents.OnTransition = o.tellTransition
	return nil
}

// tellTransition posts that a network connector came or went, or one of its agents, in the transaction that records it.
func (o *Orbit) tellTransition(ctx context.Context, tx pgx.Tx, t connector.Transition) error {
	kind, name, data := "orbit.connector", t.ConnectorName, map[string]any{"error": t.Text()}
	if t.AgentID != 0 {
		kind, name = "orbit.agent", t.AgentName
	}
	switch {
	case t.Up:
		kind += "_up"
	default:
		kind += "_down"
		data["remedy"] = "Run this on the agent's machine: orbit network-connector doctor"
	}
	data["subject_name"] = name
	_, err := o.Notify.PostTx(ctx, tx, o.alarm(kind, fmt.Sprint(t.ConnectorID, "/", t.AgentID), t.Since, data, page.ConnectorsPath+"/status"))
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
