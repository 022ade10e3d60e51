package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"orbit/internal/app"
	"orbit/internal/connector"
)

// connectorStatus are the flags of status.
type connectorStatus struct {
	asJSON, once, logs bool
	lines              int
}

func newConnectorStatus() *cobra.Command {
	var s connectorStatus
	cmd := &cobra.Command{
		Use: "status", Short: "Show connectors, their agents and their log", Args: exactly(),
		Long: `Show every network connector with agents: who is online, since when, how many tunnels are open and how much goes through. In a
terminal it goes on until q: 1 shows the connectors, 2 the log. Otherwise, and with --once, it prints once.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				out := cmd.OutOrStdout()
				switch {
				case s.asJSON:
					return s.printJSON(ctx, out, o)
				case s.once || !isTerminal(out) || !isTerminal(cmd.InOrStdin()):
					text, err := s.screen(ctx, o)
					fmt.Fprint(out, text)
					return err
				}
				return s.watch(ctx, out.(*os.File), cmd.InOrStdin().(*os.File), o)
			})
		},
	}
	cmd.Flags().BoolVar(&s.asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&s.once, "once", false, "print once, also in a terminal")
	cmd.Flags().BoolVar(&s.logs, "logs", false, "the log instead of the connectors")
	cmd.Flags().IntVarP(&s.lines, "lines", "n", 50, "how many lines of the log at most")
	return cmd
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// connectorReport is what status prints as JSON.
type connectorReport struct {
	connector.AgentOverview
	Events []connector.AgentEvent `json:"events,omitempty"`
}

func (s connectorStatus) printJSON(ctx context.Context, out io.Writer, o *app.Orbit) error {
	overview, err := o.Agents.Overview(ctx)
	if err != nil {
		return err
	}
	report := connectorReport{AgentOverview: overview}
	if s.logs {
		if report.Events, err = o.Agents.Events(ctx, connector.AgentEventFilter{Limit: s.lines}); err != nil {
			return err
		}
	}
	return printJSON(out, report)
}

// screen is the text of one view.
func (s connectorStatus) screen(ctx context.Context, o *app.Orbit) (string, error) {
	var text strings.Builder
	if s.logs {
		events, err := o.Agents.Events(ctx, connector.AgentEventFilter{Limit: s.lines})
		for _, e := range events {
			printConnectorEvent(&text, e)
		}
		if len(events) == 0 && err == nil {
			text.WriteString("The log is empty.\n")
		}
		return text.String(), err
	}
	overview, err := o.Agents.Overview(ctx)
	if err != nil {
		return "", err
	}
	err = printOverview(&text, overview, time.Now())
	return text.String(), err
}

func printConnectorEvent(out io.Writer, e connector.AgentEvent) {
	from := e.Address
	if e.Port != 0 {
		from = fmt.Sprintf("%s:%d", e.Address, e.Port)
	}
	fmt.Fprintf(out, "%s  %-7s  %-14s  %-21s  %s\n", e.At.Local().Format("2006-01-02 15:04:05"), e.Level, e.Operation, from, e.Message)
}

func printOverview(out io.Writer, o connector.AgentOverview, now time.Time) error {
	if o.Fingerprint == "" {
		_, err := fmt.Fprintln(out, "There is no network connector with agents yet. See: orbit network-connector setup --help")
		return err
	}
	state := "not listening"
	if o.Listening {
		state = "listening, up " + now.Sub(*o.Since).Truncate(time.Second).String()
	}
	fmt.Fprintf(out, "Status       %s\nFingerprint  %s\nAgents       %d, online: %d primary, %d secondary\nTunnels      %d\n\n",
		state, o.Fingerprint, o.Agents, o.Primary, o.Secondary, o.Tunnels)
	for _, p := range o.Processes {
		if !p.Listening && p.Reason != "" {
			fmt.Fprintf(out, "Process %d on %s does not listen: %s\n\n", p.PID, p.Host, p.Reason)
		}
	}
	err := printTable(out, "NAME\tPORT\tPRIMARY\tSECONDARY\tSTATE\tTUNNELS\tVERSION (P/S)", len(o.Connectors), func(i int) []any {
		c := o.Connectors[i]
		return []any{c.Name, c.Port, c.Primary, c.Secondary, connectorState(c), c.Tunnels, orDash(c.PrimaryVersion) + "/" + orDash(c.SecondaryVersion)}
	})
	if err != nil {
		return err
	}
	var agents []connector.AgentRow
	for _, c := range o.Connectors {
		agents = append(agents, c.Agents...)
	}
	if len(agents) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	return printTable(out, "ID\tAGENT\tCONNECTOR\tROLE\tSTATE\tADDRESS\tROUND TRIP\tTUNNELS\tTO AGENT\tFROM AGENT", len(agents), func(i int) []any {
		a := agents[i]
		return []any{a.ID, a.Name, a.ConnectorName, a.Role(), agentState(a, now), a.Address, roundTrip(a), a.TunnelsOpen, bytesText(a.BytesUp), bytesText(a.BytesDown)}
	})
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// connectorState is the column Offline/Online with connections and bandwidth.
func connectorState(c connector.AgentConnector) string {
	switch {
	case !c.Active:
		return "inactive"
	case !c.Up:
		return "offline"
	}
	return fmt.Sprintf("online (%d, %s/s)", c.Tunnels, bytesText(c.UpPerSecond+c.DownPerSecond))
}

func agentState(a connector.AgentRow, now time.Time) string {
	switch {
	case a.RevokedAt != nil:
		return "revoked"
	case a.Connected && a.Since != nil:
		return "online for " + now.Sub(*a.Since).Truncate(time.Second).String()
	case a.SeenAt != nil:
		return "offline, seen " + a.SeenAt.Local().Format("2006-01-02 15:04:05")
	}
	return "offline"
}

func roundTrip(a connector.AgentRow) string {
	if !a.Connected || a.Latency == 0 {
		return "-"
	}
	return (time.Duration(a.Latency) * time.Microsecond).Round(10 * time.Microsecond).String()
}

func bytesText(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	value, unit := float64(n), 0
	for value >= 1000 && unit < len(units)-1 {
		value /= 1000
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}

const (
	refreshEvery = 2 * time.Second
	ctrlC        = 3
	clearScreen  = "\x1b[H\x1b[2J"
	otherScreen  = "\x1b[?1049h\x1b[?25l" // a page of its own, without a cursor
	backScreen   = "\x1b[?25h\x1b[?1049l"
)

// watch shows the views in turn until a person has seen enough.
func (s connectorStatus) watch(ctx context.Context, out, in *os.File, o *app.Orbit) error {
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return errors.Join(errors.New("use the terminal; try --once"), err)
	}
	defer func() { _ = term.Restore(int(in.Fd()), before) }()
	fmt.Fprint(out, otherScreen)
	defer fmt.Fprint(out, backScreen)
	keys := make(chan byte)
	go readKeys(in, keys) // ends with the program
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		text, err := s.screen(ctx, o)
		if err != nil {
			text += "\n" + err.Error() + "\n"
		}
		text += "\n1 connectors   2 log   q quit\n"
		fmt.Fprint(out, clearScreen, strings.ReplaceAll(text, "\n", "\r\n"))
		select {
		case key := <-keys:
			switch key {
			case '1':
				s.logs = false
			case '2':
				s.logs = true
			case 'q', ctrlC:
				return nil
			}
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func readKeys(in io.Reader, keys chan<- byte) {
	var key [1]byte
	for {
		if _, err := in.Read(key[:]); err != nil {
			return
		}
		keys <- key[0]
	}
}
