package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"orbit/internal/app"
	"orbit/internal/config"
	"orbit/internal/connector"
	"orbit/internal/problem"
)

func newNetworkConnector() *cobra.Command {
	cmd := group("network-connector", "Let mail leave through an agent in another network",
		newConnectorSetup(), newConnectorStatus(), newConnectorAgent(), newConnectorDoctor(), newConnectorRevoke(), newConnectorCompare(),
	)
	cmd.Long = `A network connector of the kind agent is a small program in another network that calls in at Orbit and
opens connections there: mail servers that only that network reaches become reachable for accounts, for the OAuth
2.0 proxy and for token requests. Only the agent's machine opens a connection to the other side, to TCP port
51445 of Orbit's machine; a proxy in between (HTTPS_PROXY) is fine.

setup, status and revoke run on Orbit's machine; agent and doctor on the remote one. compare tries every way to
the server of an account, through connectors of all kinds.`
	cmd.Example = `  orbit network-connector setup "Branch office"
  orbit network-connector status
  orbit network-connector doctor --destination mail.branch.example:25`
	return cmd
}

// findAgentConnector takes an id or a name.
func findAgentConnector(ctx context.Context, o *app.Orbit, name string) (connector.Connector, error) {
	if id, err := strconv.ParseInt(name, 10, 64); err == nil {
		return o.Connectors.Find(ctx, id)
	}
	return o.Connectors.FindByName(ctx, name)
}

func newConnectorRevoke() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "revoke AGENT", Short: "Cut an agent off, now and for good", Args: exactly("AGENT"),
		Long: "Cut an agent off by its name or id, as status prints them: its tunnels end within a second, and its key is never let in " +
			"again. To use the machine again, enrol it with a new token from setup.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				found, err := findAgent(ctx, o, args[0])
				if err != nil {
					return err
				}
				if !yes && !agree(cmd, "Revoke agent "+found.Name+" of network connector "+found.ConnectorName+"? Its tunnels end at once.") {
					return problem.Refuse("Agent %s was not revoked. Without a terminal to ask at, say --yes.", found.Name)
				}
				if _, err := o.Agents.Revoke(ctx, found.ID); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "Agent %s of network connector %s is revoked.\n", found.Name, found.ConnectorName)
				return nil
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// findAgent takes an id, or a name that only one agent in use has.
func findAgent(ctx context.Context, o *app.Orbit, name string) (connector.AgentRow, error) {
	if id, err := strconv.ParseInt(name, 10, 64); err == nil {
		found, err := o.Agents.FindAgent(ctx, id)
		return found, missing(err, "There is no agent with the id %d; see: orbit network-connector status", id)
	}
	all, err := o.Agents.FindAgents(ctx, name)
	if errors.Is(err, problem.ErrNotFound) {
		return connector.AgentRow{}, problem.Refuse("There is no agent %s; see: orbit network-connector status", name)
	}
	if err != nil {
		return connector.AgentRow{}, err
	}
	if len(all) > 1 && all[1].RevokedAt == nil {
		var ids []string
		for _, row := range all {
			ids = append(ids, strconv.FormatInt(row.ID, 10))
		}
		return connector.AgentRow{}, problem.Refuse("Several agents are called %s; say which one by its id: %s", name, strings.Join(ids, ", "))
	}
	return all[0], nil
}

// agentEnvironmentHelp lists every variable of an agent.
func agentEnvironmentHelp() string { return variablesHelp(config.AgentHelp()) }
