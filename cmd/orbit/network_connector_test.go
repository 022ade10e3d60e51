package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"orbit/internal/app"
	"orbit/internal/connector"
	"orbit/internal/tunnel"
)

// status is what `network-connector status --json` prints.
func connectorsNow(t *testing.T) connectorReport {
	t.Helper()
	var report connectorReport
	if err := json.Unmarshal([]byte(must(t, "network-connector", "status", "--json", "--logs")), &report); err != nil {
		t.Fatal(err)
	}
	return report
}

// untilConnectors waits for what running processes bring about.
func untilConnectors(t *testing.T, what string, is func(connectorReport) bool) connectorReport {
	t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-look.C {
		report := connectorsNow(t)
		if is(report) {
			return report
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %+v", what, report)
		}
	}
}

// inBackground runs a command that goes on until stop, or ends by itself.
func inBackground(t *testing.T, args ...string) (stop, wait func() (status int, errs string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	type outcome struct {
		status int
		errs   string
	}
	ended := make(chan outcome, 1)
	go func() {
		status, _, errs := shell(ctx, args...)
		ended <- outcome{status, errs}
	}()
	t.Cleanup(cancel)
	wait = func() (int, string) {
		o := <-ended
		return o.status, o.errs
	}
	return func() (int, string) { cancel(); return wait() }, wait
}

// The whole way of an administrator: set up, start the agent elsewhere, see it, use it, revoke it.
func TestAnAgentFromSetupToRevocation(t *testing.T) {
	on(t)
	t.Setenv("ORBIT_LISTEN", "127.0.0.1:0")
	wants(t, must(t, "network-connector", "status"), "network-connector setup --help")
	if status, _, errs := shell(t.Context(), "network-connector", "setup", "Branch office"); status != exitFailed || !strings.Contains(errs, "--yes") {
		t.Errorf("without an answer: status %d, %s", status, errs)
	}
	stopServe, _ := inBackground(t, "serve")
	wants(t, must(t, "network-connector", "setup", "Branch office", "--yes"), "Fingerprint", "ORBIT_CONNECTOR_TOKEN=orbit-agent-", "orbit network-connector agent")
	report := untilConnectors(t, "the port opens", func(r connectorReport) bool { return r.Listening })

	var set setupResult
	printed := must(t, "network-connector", "setup", "Branch office", "--json", "--address", report.Processes[0].Addresses[0])
	if err := json.Unmarshal([]byte(printed), &set); err != nil {
		t.Fatal(err)
	}
	far, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	go func() {
		for {
			conn, err := far.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "220 far.example\r\n")
			_ = conn.Close()
		}
	}()
	for _, variable := range set.Environment {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	t.Setenv("ORBIT_CONNECTOR_DIR", t.TempDir())
	t.Setenv("ORBIT_CONNECTOR_NAME", "lisbon")
	t.Setenv("ORBIT_CONNECTOR_DESTINATIONS", "*:25,127.0.0.1:"+portOf(far))
	wants(t, must(t, "network-connector", "doctor", "--destination", far.Addr().String()), "ok   sign-in", "ok   TLS", "connected to "+far.Addr().String())
	_, agentEnds := inBackground(t, "network-connector", "agent")
	untilConnectors(t, "the agent comes", func(r connectorReport) bool { return r.Primary == 1 })
	wants(t, must(t, "network-connector", "status"), "Branch office", "lisbon", "online", "none", "primary")
	wants(t, must(t, "network-connector", "status", "--logs"), "enrolled", "Agent lisbon (primary) was enrolled.")

	attached(t, func(ctx context.Context, o *app.Orbit) { // a command has no tunnel of its own: it asks serve
		conn, err := o.Agents.Dial(ctx, farRequest(set.Connector, far), func(tunnel.Progress) {})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		greeting, err := io.ReadAll(conn)
		if err != nil || string(greeting) != "220 far.example\r\n" {
			t.Errorf("got %q, %v", greeting, err)
		}
	})

	if status, _, errs := shell(t.Context(), "network-connector", "revoke", "lisbon"); status != exitFailed || !strings.Contains(errs, "--yes") {
		t.Errorf("revoke without an answer: status %d, %s", status, errs)
	}
	wants(t, must(t, "network-connector", "revoke", "lisbon", "--yes"), "is revoked")
	untilConnectors(t, "the agent is gone", func(r connectorReport) bool {
		return r.Agents == 0 && !r.Connectors[0].Agents[0].Connected && r.Connectors[0].Agents[0].RevokedAt != nil
	})
	if status, errs := agentEnds(); status != exitFailed || !strings.Contains(errs, "was revoked on") {
		t.Errorf("the agent ended with %d, %s", status, errs)
	}
	status, out, _ := shell(t.Context(), "network-connector", "agent", "doctor")
	if status != exitFailed {
		t.Errorf("the doctor of a revoked agent: status %d", status)
	}
	wants(t, out, "BAD  sign-in", "was revoked on")
	if status, errs := stopServe(); status != exitOK {
		t.Errorf("serve ended with %d, %s", status, errs)
	}
}

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func farRequest(id int64, far net.Listener) tunnel.Request {
	return tunnel.Request{Host: "127.0.0.1", Port: far.Addr().(*net.TCPAddr).Port, Timeout: 10 * time.Second, Connector: id}
}

func TestWrongUsageOfNetworkConnectorIsExplained(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"network-connector", "agent"}, "ORBIT_CONNECTOR_ADDRESSES is not set: run `orbit network-connector setup`"},
		{[]string{"network-connector", "setup", "Branch", "office"}, "put a name with blanks in quotes"},
		{[]string{"network-connector", "revoke"}, "AGENT is missing"},
		{[]string{"network-connector", "stauts"}, "did you mean status"},
	} {
		status, _, errs := shell(t.Context(), c.args...)
		if status != exitUsage || !strings.Contains(errs, c.want) {
			t.Errorf("orbit %v: status %d, %q", c.args, status, errs)
		}
	}
	t.Setenv("ORBIT_CONNECTOR_ADDRESSES", "orbit.test")
	t.Setenv("ORBIT_CONNECTOR_FINGERPRINT", strings.Repeat("ab", 32))
	t.Setenv("ORBIT_CONNECTOR_DESTINATIONS", "*:smtp")
	if status, _, errs := shell(t.Context(), "network-connector", "agent"); status != exitUsage || !strings.Contains(errs, "the port must be a number") {
		t.Errorf("status %d, %q", status, errs)
	}
	t.Setenv("ORBIT_CONNECTOR_DESTINATIONS", "")
	if status, _, errs := shell(t.Context(), "network-connector", "doctor", "--destination", "mail.example.com"); status != exitUsage || !strings.Contains(errs, "is not host:port") {
		t.Errorf("status %d, %q", status, errs)
	}
}

func TestTheDashboardSaysItInOneLook(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	since := now.Add(-90 * time.Second)
	overview := connector.AgentOverview{
		Fingerprint: "ab12", Listening: true, Since: &since, Agents: 2, Primary: 1, Tunnels: 3,
		Processes: []connector.AgentProcess{{PID: 7, Host: "two", Reason: "another program uses :51445"}},
		Connectors: []connector.AgentConnector{{
			Name: "Branch office", Port: 51445, Active: true, Up: true, Primary: connector.Present, Secondary: connector.Absent,
			Tunnels: 3, UpPerSecond: 1_500_000, PrimaryVersion: "1.2", SecondaryVersion: "1.1",
			Agents: []connector.AgentRow{{ID: 4, Name: "lisbon", ConnectorName: "Branch office", Connected: true, Since: &since, Latency: 12_345, TunnelsOpen: 3}},
		}},
	}
	var out strings.Builder
	if err := printOverview(&out, overview, now); err != nil {
		t.Fatal(err)
	}
	wants(t, out.String(), "listening, up 1m30s", "online: 1 primary, 0 secondary", "Process 7 on two does not listen: another program uses :51445",
		"NAME", "PORT", "PRIMARY", "SECONDARY", "VERSION (P/S)", "online (3, 1.5 MB/s)", "1.2/1.1", "online for 1m30s", "12.35ms")
}
