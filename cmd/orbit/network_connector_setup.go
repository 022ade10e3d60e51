package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orbit/internal/app"
	"orbit/internal/connector"
	"orbit/internal/problem"
)

// setupOptions are the flags of setup.
type setupOptions struct {
	addresses              []string
	secondary, yes, asJSON bool
}

// usualConnector is the name that a connector gets when nobody says one.
const usualConnector = "Remote network"

// listenTime is how long a running Orbit may take to open the port.
const listenTime = 5 * time.Second

func newConnectorSetup() *cobra.Command {
	var s setupOptions
	cmd := &cobra.Command{
		Use: "setup [CONNECTOR]", Short: "Create a network connector, or a command for one more agent of it",
		Long: `Create the network connector, or take the one of that name or id, and print what the remote machine needs: the
fingerprint of Orbit's certificate and one complete command with a token. The token enrols one agent, once, within 24 hours.
Run setup again for each further agent: two are recommended, one of them with --secondary.`,
		Example: `  orbit network-connector setup "Branch office" --address orbit.example.com
  orbit network-connector setup "Branch office" --secondary --yes`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("%q is one argument too many; put a name with blanks in quotes\nUsage: %s", args[1], cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			name := usualConnector
			if len(args) == 1 {
				name = args[0]
			}
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error { return s.run(ctx, cmd, o, name) })
		},
	}
	cmd.Flags().StringSliceVar(&s.addresses, "address", nil, "host or host:port under which the remote machine reaches this Orbit; may be repeated")
	cmd.Flags().BoolVar(&s.secondary, "secondary", false, "the command is for a secondary agent, which carries while no primary one is there")
	cmd.Flags().BoolVarP(&s.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&s.asJSON, "json", false, "print JSON")
	return cmd
}

func (s setupOptions) run(ctx context.Context, cmd *cobra.Command, o *app.Orbit, name string) error {
	c, err := s.findOrCreate(ctx, cmd, o, name)
	if err != nil {
		return err
	}
	e, err := o.Agents.Enrol(ctx, c.ID)
	if err != nil {
		return explainSetup(err)
	}
	shown := s.show(o, e)
	if s.asJSON {
		err = printJSON(cmd.OutOrStdout(), shown)
	} else {
		shown.print(cmd.OutOrStdout())
	}
	if waiting := o.Agents.Listening(ctx, listenTime); err == nil && waiting != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "\nwarning: %v\n", waiting)
	}
	return err
}

// findOrCreate asks before it creates: from then on Orbit listens for agents.
func (s setupOptions) findOrCreate(ctx context.Context, cmd *cobra.Command, o *app.Orbit, name string) (connector.Connector, error) {
	found, err := findAgentConnector(ctx, o, name)
	if err == nil || !errors.Is(err, problem.ErrNotFound) {
		return found, explainSetup(err)
	}
	question := fmt.Sprintf("Create the network connector %s? Orbit then lets agents in at %s.", name, o.Config.ConnectorListen)
	if !s.yes && !agree(cmd, question) {
		return connector.Connector{}, problem.Refuse("Nothing was created. Without a terminal to ask at, say --yes.")
	}
	settings := connector.NewSettings()
	settings.Name, settings.Kind = name, connector.KindAgent
	created, err := o.Connectors.Create(ctx, connector.Change{Settings: settings})
	return created, explainSetup(err)
}

// explainSetup says what an administrator can do about the errors that setup alone can meet.
func explainSetup(err error) error {
	var refused *problem.Refused
	switch {
	case err == nil, errors.As(err, &refused), errors.As(err, new(problem.Invalid)):
		return err
	case strings.Contains(err.Error(), "read-only"):
		return fmt.Errorf("the database takes no changes, it is a replica or in recovery: run setup against the primary (ORBIT_DATABASE_URL): %w", err)
	case strings.Contains(err.Error(), "determine the fingerprint"):
		return fmt.Errorf("the certificate that agents know cannot be opened; its key is sealed by the key file: is ORBIT_KEYSET_FILE the one of this database? %w", err)
	}
	return err
}

// setupResult is what setup prints.
type setupResult struct {
	connector.Invitation
	guessed bool // its address
}

// usualPort is where agents call in when the process does not say.
const usualPort = 51445

func (s setupOptions) show(o *app.Orbit, e connector.Enrolment) setupResult {
	port := o.Agents.Port()
	if port == 0 {
		port = usualPort
	}
	addresses, guessed := s.addresses, false
	if len(addresses) == 0 {
		addresses, guessed = []string{ownName(o)}, true
	}
	return setupResult{e.Invite(addresses, port, s.secondary), guessed}
}

// ownName is how others probably call this machine.
func ownName(o *app.Orbit) string {
	name := o.Config.BaseURL.Hostname()
	if ip := net.ParseIP(name); name == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		if host, err := os.Hostname(); err == nil {
			return host
		}
	}
	return name
}

func (r setupResult) print(out io.Writer) {
	fmt.Fprintf(out, "Network connector  %s (%d)\nFingerprint        %s\nAddress            %s\n\n", r.Name, r.Connector, r.Fingerprint, strings.Join(r.Addresses, ", "))
	fmt.Fprintf(out, "Run this on the remote machine before %s:\n\n    %s\n\n", r.ExpiresAt.Format("2006-01-02 15:04 MST"), r.Command)
	fmt.Fprintln(out, "The token enrols one agent, once; keep the agent's directory afterwards. The remote machine must reach the\n"+
		"address above by TCP, directly or through HTTPS_PROXY. If it does not come online, run there: orbit network-connector doctor")
	if r.guessed {
		fmt.Fprintf(out, "\nThe address was made from this machine's settings. If the remote machine knows Orbit by another name, use --address.\n")
	}
}
