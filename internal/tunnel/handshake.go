package tunnel

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"

	"orbit/internal/vault"
)

// Before yamux a few messages say who is there. Each signature and each code covers the keys of the TLS
// session (RFC 9266 calls that channel binding): what one session has seen proves nothing in another one.

const (
	exporterLabel = "EXPORTER-orbit-connector-1"
	agentLabel    = "orbit connector agent 1"
	askerLabel    = "orbit connector peer 1: the one that asks"
	giverLabel    = "orbit connector peer 1: the one that gives"
	nonceSize     = 32
)

// hello is the server's first message.
type hello struct {
	Nonce   []byte    `json:"nonce"`
	Process string    `json:"process"` // which of the Orbit processes
	Time    time.Time `json:"time"`    // for the doctor; nothing depends on it
}

// signedClaim is the agent's answer.
type signedClaim struct {
	Claim     []byte `json:"claim"` // JSON as it was signed
	Signature []byte `json:"signature"`
}

// claim is what an agent says of itself.
type claim struct {
	Key       []byte `json:"key"`             // Ed25519
	Token     string `json:"token,omitempty"` // only until the key is known
	Name      string `json:"name"`
	Version   string `json:"version"`
	Secondary bool   `json:"secondary"`
	Probe     bool   `json:"probe,omitempty"` // the doctor asks whether it would be let in
}

// welcome is the server's last message before the link.
type welcome struct {
	Agent     int64    `json:"agent,omitempty"`
	Name      string   `json:"name,omitempty"`
	Connector string   `json:"connector,omitempty"`
	Refusal   *Refusal `json:"refusal,omitempty"`
}

// Refusal is why an agent is not let in.
type Refusal struct {
	Code RefusalCode `json:"code"`
	Text string      `json:"text"` // what happened and what to do
}

// RefusalCode is a refusal for programs.
type RefusalCode string

// The refusals. After those that are final an agent does not come back by itself.
const (
	Revoked      RefusalCode = "revoked"
	UnknownKey   RefusalCode = "unknown_key"
	UnknownToken RefusalCode = "unknown_token"
	UsedToken    RefusalCode = "used_token"
	ExpiredToken RefusalCode = "expired_token"
	BadClaim     RefusalCode = "bad_claim"
	Later        RefusalCode = "later" // the server cannot say
)

func (r *Refusal) Error() string { return "the server refuses this agent: " + r.Text }

// Final reports whether trying again is pointless until somebody has acted.
func (r *Refusal) Final() bool { return r.Code != Later }

// Claim is what the server has proven of an agent, for whoever knows the agents.
type Claim struct {
	Key       ed25519.PublicKey
	Token     vault.Secret // none: the key must be known
	Name      string
	Version   string
	Secondary bool
	Probe     bool   // change nothing, only say whether it would be let in
	Remote    string // address of the connection
}

// Known is an agent that is let in.
type Known struct {
	ID            int64
	Name          string
	Connector     int64
	ConnectorName string
	Secondary     bool
}

// exporter derives what both ends of a TLS session know and nobody else.
func exporter(state *tls.ConnectionState) ([]byte, error) {
	if state == nil || state.Version < tls.VersionTLS13 {
		return nil, errors.New("the connection is not TLS 1.3")
	}
	return state.ExportKeyingMaterial(exporterLabel, nil, sha256.Size)
}

func newHello(process string) hello {
	h := hello{Nonce: make([]byte, nonceSize), Process: process, Time: time.Now()}
	_, _ = rand.Read(h.Nonce) // never fails
	return h
}

// sign makes the claim of an agent.
func (c claim) sign(key ed25519.PrivateKey, binding []byte, h hello) (signedClaim, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return signedClaim{}, err
	}
	return signedClaim{Claim: text, Signature: ed25519.Sign(key, transcript(agentLabel, binding, h.Nonce, text))}, nil
}

// verify returns a claim whose signature is that of its key.
func (s signedClaim) verify(binding []byte, h hello) (claim, error) {
	var c claim
	if err := json.Unmarshal(s.Claim, &c); err != nil {
		return claim{}, fmt.Errorf("read the claim: %w", err)
	}
	if len(c.Key) != ed25519.PublicKeySize || !ed25519.Verify(c.Key, transcript(agentLabel, binding, h.Nonce, s.Claim), s.Signature) {
		return claim{}, errors.New("the signature does not fit")
	}
	c.Name, c.Version = clean(c.Name), clean(c.Version)
	return c, nil
}

// transcript joins parts so that no two lists of parts give the same bytes.
func transcript(label string, parts ...[]byte) []byte {
	text := append([]byte(label), 0)
	for _, part := range parts {
		text = append(binary.BigEndian.AppendUint32(text, uint32(len(part))), part...)
	}
	return text
}

// peerProof is what the processes of one Orbit show each other, the one that asks first.
type peerProof struct {
	Process string `json:"process"`
	Nonce   []byte `json:"nonce"`
	Code    []byte `json:"code"`
}

// code proves the key that the processes share. Each side has its own label, so none can be sent back.
func (p peerProof) code(label string, key vault.Secret, binding []byte, h hello) []byte {
	derived := key.Digest([]byte(exporterLabel)) // HKDF-Extract, RFC 5869 2.2
	mac := hmac.New(sha256.New, derived[:])
	mac.Write(transcript(label, binding, h.Nonce, p.Nonce, []byte(h.Process), []byte(p.Process)))
	return mac.Sum(nil)
}

// say sends one message of the handshake.
func say(ctx context.Context, ws *websocket.Conn, m any) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return ws.Write(ctx, websocket.MessageText, text)
}

// hearHandshake reads one message of the handshake.
func hearHandshake(ctx context.Context, ws *websocket.Conn, m any) error {
	ws.SetReadLimit(maxMessage)
	kind, text, err := ws.Read(ctx)
	if err != nil {
		return err
	}
	if kind != websocket.MessageText {
		return errViolation
	}
	return json.Unmarshal(text, m)
}
