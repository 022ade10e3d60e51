package connector

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/tunnel"
)

// destinationTime is for how long the doctor tries one destination.
const destinationTime = 15 * time.Second

// Examine dials a destination as a tunnel would, for the doctor on the agent's machine, and explains what goes wrong as
// Test configuration does.
func (f *Far) Examine(ctx context.Context, host string, port int) tunnel.Finding {
	finding := tunnel.Finding{What: "destination (" + net.JoinHostPort(host, strconv.Itoa(port)) + ")"}
	ctx, cancel := context.WithTimeout(explain.Speaking(ctx, spokenAt(port)), destinationTime)
	defer cancel()
	conn, err := direct{f.s}.Dial(ctx, host, port)
	if err == nil {
		defer conn.Close()
		finding.Good, finding.Result = true, "connected to "+conn.RemoteAddr().String()
		return finding
	}
	var failure *tunnel.Failure
	if errors.As(farFailure(err), &failure) && failure.Code == tunnel.Forbidden {
		finding.Result, finding.Who = "This agent does not connect to "+failure.Address+": "+failure.Rule+".", string(ladder.You)
		if failure.Setting != "" {
			finding.Remedy = "If " + host + " is the right server, " + failure.Setting + " and start the agent again."
		}
		return finding
	}
	fault := faultFor(err)
	finding.Result, finding.Who, finding.Remedy = fault.Cause, string(fault.Who), fault.Remedy
	return finding
}

// spokenAt is what a mail server speaks at a port.
func spokenAt(port int) string {
	switch port {
	case 110, 995:
		return "POP3"
	case 143, 993:
		return "IMAP"
	}
	return "SMTP"
}
