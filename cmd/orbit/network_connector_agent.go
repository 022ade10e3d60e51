package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/net/http/httpproxy"

	"orbit/internal/config"
	"orbit/internal/connector"
	"orbit/internal/tunnel"
)

func newConnectorAgent() *cobra.Command {
	cmd := &cobra.Command{
		Use: "agent", Short: "Run an agent, on the machine in the other network", Args: exactly(),
		Long: `Run a network connector agent until it is stopped. It calls in at every address of Orbit, looks names up and opens
connections in its own network, and nothing else: it needs no database and listens nowhere.

HTTPS_PROXY and NO_PROXY count for the way to Orbit. To update without a break, start the new version with the same
ORBIT_CONNECTOR_DIR and then stop the old one: it lets its tunnels end, for half a minute at most.

` + agentEnvironmentHelp(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadAgent()
			if err != nil {
				return err
			}
			log := newLog(config.Config{LogFormat: c.LogFormat, LogLevel: c.LogLevel}, cmd.ErrOrStderr())
			options, err := agentOptions(c, log)
			if err != nil {
				return err
			}
			agent, err := tunnel.NewAgent(options)
			if err != nil {
				return err
			}
			tunnel.LimitMemory()
			log.InfoContext(cmd.Context(), "network connector agent", "name", agent.Name(), "secondary", c.Secondary, "addresses", c.Addresses, "version", version)
			return agent.Run(cmd.Context())
		},
	}
	cmd.AddCommand(newConnectorDoctor())
	return cmd
}

func loadAgent() (config.Agent, error) {
	c, err := config.LoadAgent(os.Environ())
	if err != nil {
		return config.Agent{}, &usageError{err.Error()}
	}
	return c, nil
}

// agentOptions turns the environment into an agent.
func agentOptions(c config.Agent, log *slog.Logger) (tunnel.AgentOptions, error) {
	far, err := farOf(c)
	if err != nil {
		return tunnel.AgentOptions{}, err
	}
	if _, err := tunnel.ParseFingerprint(c.Fingerprint); err != nil {
		return tunnel.AgentOptions{}, usagef("ORBIT_CONNECTOR_FINGERPRINT: %v", err)
	}
	return tunnel.AgentOptions{
		Addresses: c.Addresses, Fingerprint: c.Fingerprint, Token: c.Token, Name: c.Name, Version: version, Secondary: c.Secondary,
		State: c.Directory, Dial: far.Dial, Proxy: environmentProxy(), Log: log,
	}, nil
}

// farOf is what the agent dials with.
func farOf(c config.Agent) (*connector.Far, error) {
	list := c.Destinations
	if list == "" {
		list = connector.UsualDestinations
	}
	destinations, err := connector.ParseDestinations(list)
	if err != nil {
		return nil, usagef("%s: %v", connector.DestinationsVariable, err)
	}
	return connector.NewFar(destinations, (&home{addresses: c.Addresses}).get), nil
}

// environmentProxy is the proxy of HTTPS_PROXY and NO_PROXY.
func environmentProxy() tunnel.Proxy {
	choose := httpproxy.FromEnvironment().ProxyFunc()
	return func(r *http.Request) (*url.URL, error) { return choose(r.URL) }
}

// home knows Orbit's own addresses, which no tunnel may reach unless the list of destinations names them.
type home struct {
	addresses []string

	mu    sync.Mutex
	known []netip.Addr
	until time.Time
}

const (
	homeLife = time.Minute
	homeTime = 3 * time.Second
)

func (h *home) get() []netip.Addr {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Now().Before(h.until) {
		return h.known
	}
	ctx, cancel := context.WithTimeout(context.Background(), homeTime)
	defer cancel()
	var found []netip.Addr
	for _, address := range h.addresses {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			continue
		}
		if addr, err := netip.ParseAddr(host); err == nil {
			found = append(found, addr)
			continue
		}
		if addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host); err == nil {
			found = append(found, addrs...)
		}
	}
	if len(found) > 0 || h.known == nil { // an answer that fails keeps the last one
		h.known = found
	}
	h.until = time.Now().Add(homeLife)
	return h.known
}

func newConnectorDoctor() *cobra.Command {
	var asJSON bool
	var destinations []string
	cmd := &cobra.Command{
		Use: "doctor", Short: "Find out, on the agent's machine, why it does not work", Args: exactly(),
		Long: `Check everything that an agent needs, on its machine and with its environment: the key, the name and port of Orbit, the proxy,
TLS, the fingerprint, the clock, the sign-in, and the destinations that are named. It changes nothing. Exit status 1
when something needs attention.

` + agentEnvironmentHelp(),
		Example: "  orbit network-connector doctor --destination mail.branch.example:25 --destination imap.branch.example:993",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadAgent()
			if err != nil {
				return err
			}
			options, err := agentOptions(c, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			wanted, err := parseDestinations(destinations)
			if err != nil {
				return err
			}
			findings := tunnel.Examine(cmd.Context(), options)
			far, err := farOf(c)
			if err != nil {
				return err
			}
			for _, to := range wanted {
				findings = append(findings, far.Examine(cmd.Context(), to.host, to.port))
			}
			return printFindings(cmd, findings, asJSON)
		},
	}
	cmd.Flags().StringSliceVar(&destinations, "destination", nil, "host:port that the agent should reach; may be repeated")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// destination is a server that the agent should reach.
type destination struct {
	host string
	port int
}

func parseDestinations(texts []string) ([]destination, error) {
	var all []destination
	for _, text := range texts {
		host, digits, err := net.SplitHostPort(text)
		port, portErr := strconv.ParseUint(digits, 10, 16)
		if err != nil || portErr != nil || port == 0 || host == "" {
			return nil, usagef("--destination %q is not host:port: write something like mail.example.com:25", text)
		}
		all = append(all, destination{host, int(port)})
	}
	return all, nil
}

func printFindings(cmd *cobra.Command, findings []tunnel.Finding, asJSON bool) error {
	good := true
	for _, f := range findings {
		good = good && f.Good
		if !asJSON {
			mark := "ok  "
			if !f.Good {
				mark = "BAD "
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s %s: %s\n", mark, f.What, f.Result)
			if f.Who != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "       Who must act: %s\n", f.Who)
			}
			if f.Remedy != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n", indent(f.Remedy, "       "))
			}
		}
	}
	if asJSON {
		if err := printJSON(cmd.OutOrStdout(), findings); err != nil {
			return err
		}
	}
	if !good {
		return &quietError{}
	}
	return nil
}
