package connector

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// AgentRow is an agent with what the processes tell of it now.
type AgentRow struct {
	ID            int64      `db:"id" json:"id"`
	ConnectorID   int64      `db:"network_connector_id" json:"network_connector_id"`
	ConnectorName string     `db:"network_connector_name" json:"network_connector"`
	Name          string     `db:"name" json:"name"`
	Secondary     bool       `db:"secondary" json:"secondary"`
	Version       string     `db:"version" json:"version"`
	Address       string     `db:"address" json:"address"`
	EnrolledAt    time.Time  `db:"enrolled_at" json:"enrolled_at"`
	SeenAt        *time.Time `db:"seen_at" json:"seen_at,omitempty"`
	RevokedAt     *time.Time `db:"revoked_at" json:"revoked_at,omitempty"`
	RevokedBy     string     `db:"revoked_by" json:"revoked_by,omitempty"`
	BytesUp       int64      `db:"bytes_up" json:"bytes_up"`     // to the agent, ever
	BytesDown     int64      `db:"bytes_down" json:"bytes_down"` // from the agent, ever
	Tunnels       int64      `db:"tunnels" json:"tunnels"`       // opened, ever
	Online        bool       `db:"online" json:"online"`         // as recorded; a short break is none
	OnlineSince   *time.Time `db:"online_since" json:"online_since,omitempty"`

	Connected     bool       `db:"connected" json:"connected"` // at this moment
	Processes     int        `db:"processes" json:"processes"` // how many Orbit processes have it
	Since         *time.Time `db:"since" json:"since,omitempty"`
	TunnelsOpen   int64      `db:"tunnels_open" json:"tunnels_open"`
	UpPerSecond   int64      `db:"up_per_second" json:"up_per_second"` // bytes
	DownPerSecond int64      `db:"down_per_second" json:"down_per_second"`
	Latency       int64      `db:"latency_microseconds" json:"latency_microseconds"` // round trip, median of the last minute
}

// Role is primary or secondary.
func (r AgentRow) Role() string { return role(r.Secondary) }

// Presence is what a column Primary or Secondary says.
type Presence string

// The presences. None means that there is no agent of that role.
const (
	Present Presence = "online"
	Absent  Presence = "offline"
	None    Presence = "none"
)

// AgentConnector is a connector of the kind agent with its agents.
type AgentConnector struct {
	ID               int64      `json:"id"`
	Name             string     `json:"name"`
	Port             int        `json:"port"` // where its agents call in
	Active           bool       `json:"active"`
	Up               bool       `json:"up"`              // an agent is connected now
	RecordedUp       bool       `json:"recorded_up"`     // short breaks left out, as the log tells it
	Since            *time.Time `json:"since,omitempty"` // of what is recorded
	Primary          Presence   `json:"primary"`
	Secondary        Presence   `json:"secondary"`
	Tunnels          int64      `json:"tunnels"` // open now
	UpPerSecond      int64      `json:"up_per_second"`
	DownPerSecond    int64      `json:"down_per_second"`
	PrimaryVersion   string     `json:"primary_version,omitempty"`
	SecondaryVersion string     `json:"secondary_version,omitempty"`
	Agents           []AgentRow `json:"agents"` // revoked ones last
}

// AgentOverview is everything about agents, for the page Status and the dashboard in a terminal.
type AgentOverview struct {
	Fingerprint string           `json:"fingerprint,omitempty"` // "" before the first setup
	Listening   bool             `json:"listening"`             // some process lets agents in
	Since       *time.Time       `json:"since,omitempty"`       // the oldest of these processes
	Agents      int              `json:"agents"`                // not revoked
	Primary     int              `json:"primary_online"`
	Secondary   int              `json:"secondary_online"`
	Tunnels     int64            `json:"tunnels"` // open now
	Connectors  []AgentConnector `json:"connectors"`
	Processes   []AgentProcess   `json:"processes"`
}

// Overview reads all of it. It is three seconds old at most.
func (a *Agents) Overview(ctx context.Context) (AgentOverview, error) {
	o := AgentOverview{Connectors: []AgentConnector{}, Processes: []AgentProcess{}}
	row, _, err := selectServer(ctx, a.pool)
	if err != nil {
		return o, err
	}
	o.Fingerprint = row.Fingerprint
	if o.Processes, err = selectAgentProcesses(ctx, a.pool); err != nil {
		return o, err
	}
	for _, p := range o.Processes {
		if p.Listening && o.Since == nil {
			o.Listening, o.Since = true, &p.StartedAt
		}
	}
	if o.Connectors, err = a.agentConnectors(ctx); err != nil {
		return o, err
	}
	for _, c := range o.Connectors {
		o.count(c)
	}
	return o, nil
}

func (o *AgentOverview) count(c AgentConnector) {
	o.Tunnels += c.Tunnels
	for _, agent := range c.Agents {
		if agent.RevokedAt != nil {
			continue
		}
		o.Agents++
		switch {
		case agent.Connected && agent.Secondary:
			o.Secondary++
		case agent.Connected:
			o.Primary++
		}
	}
}

// agentConnectors joins connectors, agents and states.
func (a *Agents) agentConnectors(ctx context.Context) ([]AgentConnector, error) {
	stored, err := selectAll(ctx, a.pool)
	if err != nil {
		return nil, err
	}
	agents, err := selectAgents(ctx, a.pool, 0)
	if err != nil {
		return nil, err
	}
	states, err := selectStates(ctx, a.pool)
	if err != nil {
		return nil, err
	}
	all := []AgentConnector{}
	for _, c := range stored {
		if c.Kind != KindAgent {
			continue
		}
		row := AgentConnector{ID: c.ID, Name: c.Name, Port: a.Port(), Active: c.Active, Primary: None, Secondary: None, Agents: []AgentRow{}}
		for _, agent := range agents {
			if agent.ConnectorID == c.ID {
				row.add(agent)
			}
		}
		for _, s := range states {
			if s.ConnectorID == c.ID {
				row.RecordedUp, row.Since = s.Up, &s.Since
			}
		}
		all = append(all, row)
	}
	return all, nil
}

func (c *AgentConnector) add(agent AgentRow) {
	c.Agents = append(c.Agents, agent)
	if agent.RevokedAt != nil {
		return
	}
	presence, version := &c.Primary, &c.PrimaryVersion
	if agent.Secondary {
		presence, version = &c.Secondary, &c.SecondaryVersion
	}
	switch {
	case agent.Connected:
		c.Up, *presence, *version = true, Present, agent.Version
	case *presence == None:
		*presence, *version = Absent, agent.Version
	}
	c.Tunnels += agent.TunnelsOpen
	c.UpPerSecond += agent.UpPerSecond
	c.DownPerSecond += agent.DownPerSecond
}

// Port is where agents call in.
func (a *Agents) Port() int {
	_, digits, err := net.SplitHostPort(a.listen)
	if err != nil {
		return 0
	}
	port, _ := strconv.Atoi(digits)
	return port
}

// LatencySample is the median round trip of a minute.
type LatencySample struct {
	At           time.Time `db:"at" json:"at"`
	Microseconds int64     `db:"microseconds" json:"microseconds"`
}

// Latencies returns the round trips to an agent since a time, at most a week, the oldest first: one in thirty
// seconds from each process that has it.
func (a *Agents) Latencies(ctx context.Context, agent int64, since time.Time) ([]LatencySample, error) {
	return selectLatencies(ctx, a.pool, agent, since)
}

// Trouble are the sentences for the bell: connectors in use without an agent, and agents that are away.
func (a *Agents) Trouble(ctx context.Context) ([]string, error) {
	connectors, err := a.agentConnectors(ctx)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, c := range connectors {
		all = append(all, c.trouble()...)
	}
	return all, nil
}

func (c AgentConnector) trouble() []string {
	if !c.Active || c.Since == nil || c.Primary == None && c.Secondary == None {
		return nil // nobody expects anything of it yet
	}
	if !c.Up && !c.RecordedUp {
		return []string{Transition{ConnectorName: c.Name, Since: *c.Since}.Text()}
	}
	var all []string
	for _, agent := range c.Agents {
		if agent.RevokedAt == nil && !agent.Online && !agent.Connected && agent.OnlineSince != nil {
			all = append(all, Transition{
				ConnectorName: c.Name, AgentID: agent.ID, AgentName: agent.Name, Secondary: agent.Secondary, Since: *agent.OnlineSince,
			}.Text())
		}
	}
	return all
}

// Listening waits until some process lets agents in, or says after a while why none does.
func (a *Agents) Listening(ctx context.Context, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	look := time.NewTicker(reportRest)
	defer look.Stop()
	for {
		processes, err := selectAgentProcesses(context.WithoutCancel(ctx), a.pool)
		if err != nil {
			return err
		}
		reason := "no Orbit process is running; start it with: orbit serve"
		for _, p := range processes {
			if p.Listening {
				return nil
			}
			reason = fmt.Sprintf("the Orbit process on %s does not let agents in: %s", p.Host, p.Reason)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("agents cannot call in yet: %s", reason) //nolint:err113 // a sentence for a person
		case <-look.C:
		}
	}
}
