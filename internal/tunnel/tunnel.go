// Package tunnel carries connections through an agent in another network.
//
// The agent calls in: a WebSocket over TLS, because that passes firewalls and proxies. Both sides prove who
// they are before anything else happens: the server by the fingerprint of its certificate, the agent by a key
// that its one-time token has brought in. Then yamux divides the connection into streams, and only the
// server opens them: one stream is one tunnel, which begins with the host and port to dial and goes on with
// what the agent found there. An agent that somebody has taken over can lie about the far side and reaches
// nothing on ours.
//
// Several Orbit processes share the certificate. One that has no agent of its own asks another over the same
// port, with the same protocol; there a key that only the processes know takes the place of the agent's.
//
// The package knows bytes, contexts and interfaces: who an agent is, and where it may go, others decide.
package tunnel

import "time"

// What both sides must agree on. Another version has another path.
const (
	subprotocol = "orbit-tunnel-1"
	agentPath   = "/connector/v1/agent"
	peerPath    = "/connector/v1/peer"
)

// Limits of one link.
const (
	maxWindow   = 256 << 10 // of one tunnel; what a receiver that stands still costs
	maxFrame    = 32 << 10  // of data, so that a long transfer lets the others in between
	maxMessage  = 8 << 10   // of a request, an answer or a word of the handshake
	maxText     = 500       // of what the other side says to people
	maxHost     = 253       // RFC 1035 2.3.4, without the final dot
	usualLimit  = 2000      // tunnels through one link
	acceptAhead = 256       // streams that wait to be taken up
)

// Times of one link.
const (
	handshakeTime = 10 * time.Second // from the open connection to the welcome
	takeUpTime    = 4 * time.Second  // for the agent to say that it has a request; then another one is asked
	answerSlack   = 2 * time.Second  // after the agent's own deadline
	maxDialTime   = 2 * time.Minute
	pingEvery     = 2 * time.Second
	deadAfter     = 8 * time.Second // without a byte from the other side; the promise is a new way within 15 s
	watchEvery    = time.Second
	freshFor      = 4 * time.Second // a link that has been silent for longer is asked last
	lingerTime    = 10 * time.Second
	sweepEvery    = time.Second
)
