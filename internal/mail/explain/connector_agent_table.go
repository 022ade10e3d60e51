package explain

import "orbit/internal/mail/ladder"

// AgentForbids explains that the rules of an agent refuse a destination. Setting is what would allow it, ""
// when nothing does.
func (h Hop) AgentForbids(address, rule, setting string) ladder.Fault {
	v := h.values()
	v["address"], v["rule"], v["setting"] = inline(address), inline(rule), inline(setting)
	code := "agent_forbidden"
	if setting != "" {
		code = "agent_not_allowed"
	}
	return byCode(connectorEntries, code).fault(v)
}

// agentEntries are what Orbit's own agent in another network can say of a destination there. What goes wrong
// on the way to the server looks the same as from here; where to look is another machine.
var agentEntries = []Entry{
	{
		Code: "agent_offline", Group: GroupConnector, Seen: "(no agent of the network connector is connected)",
		Cause: "No agent of the network connector {connector} is connected to Orbit. Nothing was dialled.",
		Who:   ladder.NetworkTeam,
		Remedy: "On the agent's machine, see what is wrong:\norbit network-connector doctor\n" +
			"and start it again: systemctl restart orbit-agent. Orbit never goes directly where a connector is configured.",
		Temporary: true,
	},
	{
		Code: "agent_broke_off", Group: GroupConnector, Seen: "(the connection to the agent broke while it dialled)",
		Cause:     "The connection to the agents of {connector} broke while {server} was being dialled.",
		Who:       ladder.Nobody,
		Remedy:    "Agents connect again within ten seconds. If it happens often, look at Settings > Network Connectors > Logs.",
		Temporary: true,
	},
	{
		Code: "agent_name_unknown", Group: GroupConnector, Seen: "agent: lookup mail.example.com: no such host",
		Cause:  "The name {host} does not exist in the network of the agent of {connector}.",
		Who:    ladder.You,
		Remedy: "Check the spelling of the host. The agent looks the name up with the resolver of its own machine; try it there:\ngetent ahosts {sh:host}",
	},
	{
		Code: "agent_name_failed", Group: GroupConnector, Seen: "agent: lookup mail.example.com: server misbehaving / i/o timeout",
		Cause:     "The name server of the agent of {connector} gave no answer about {host}.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Check that the agent's machine reaches its name server, or enter the IP address as host. Try the name there:\ngetent ahosts {sh:host}",
		Temporary: true,
	},
	{
		Code: "agent_no_address", Group: GroupConnector, Seen: "agent: (the name has no address)",
		Cause:  "The name {host} exists in the network of the agent of {connector} but has no address.",
		Who:    ladder.You,
		Remedy: "The record has another type than A or AAAA. Ask the owner of the name, or enter the IP address as host.",
	},
	{
		Code: "agent_refused", Group: GroupConnector, Seen: "agent: connect: connection refused",
		Cause:     "{host} is there, but refused the connection of the agent of {connector}: nothing accepts connections on port {port}.",
		Who:       ladder.You,
		Remedy:    "Check host and port of the account. If they are right, the service on {host} is stopped or rejects the address of the agent's machine.",
		Temporary: true,
	},
	{
		Code: "agent_timeout", Group: GroupConnector, Seen: "agent: dial tcp: i/o timeout",
		Cause:     "{server} did not answer the agent of {connector} in time.",
		Who:       ladder.NetworkTeam,
		Remedy:    "A firewall between the agent's machine and {host} drops the packets, or the server is off. Allow TCP from there to {server}.",
		Temporary: true,
	},
	{
		Code: "agent_unreachable", Group: GroupConnector, Seen: "agent: connect: network is unreachable / no route to host",
		Cause:     "The agent of {connector} has no route to {host}.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Check routing and firewall of the agent's machine. See the way there:\nip route get $(getent hosts {sh:host} | cut -d' ' -f1)",
		Temporary: true,
	},
	{
		Code: "agent_reset", Group: GroupConnector, Seen: "agent: read: connection reset by peer",
		Cause:     "{server} cut the connection of the agent of {connector} at once.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Ask whether {host} accepts the address of the agent's machine, and for its log at this time.",
		Temporary: true,
	},
	{
		Code: "agent_forbidden", Group: GroupConnector, Seen: "agent: (refused by its network rules, always)",
		Cause:  "The agent of {connector} never connects to {address}: {rule}. Nothing was dialled.",
		Who:    ladder.You,
		Remedy: "Check the host {host}. If its name really has this address in that network, the record is wrong or somebody wants the agent to reach inside.",
	},
	{
		Code: "agent_not_allowed", Group: GroupConnector, Seen: "agent: (refused by its list of destinations)",
		Cause:  "The agent of {connector} may not connect to {address}: {rule}. Nothing was dialled.",
		Who:    ladder.NetworkTeam,
		Remedy: "If {host} is the right server, {setting} on the agent's machine and start the agent again.",
	},
	{
		Code: "agent_exhausted", Group: GroupConnector, Seen: "agent: too many open files / as many tunnels as it may",
		Cause:     "The agent of {connector} can open no more connections.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Wait until connections end, raise the limit of open files of the agent's service (LimitNOFILE), or start a second agent.",
		Temporary: true,
	},
	{
		Code: "agent_other", Group: GroupConnector, Seen: "agent: (any other error)",
		Cause:     "The agent of {connector} could not connect to {server}.",
		Who:       ladder.NetworkTeam,
		Remedy:    "Try again. If it stays so, look at the agent's log at this time:\njournalctl -u orbit-agent",
		Temporary: true,
	},
}
