package sasl

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/secure/precis"

	"orbit/internal/vault"
)

// Bounds on what the server may demand: RFC 7677 4 asks for at least 4096 rounds (fewer would let a false
// server guess the password from the answer), and a server must not keep this machine busy for minutes.
const (
	minIterations = 4096
	maxIterations = 2_000_000
)

// ErrServerProof says that the server does not know the password: it is not the server it claims to be,
// or it stores another password.
var ErrServerProof = errors.New("the server did not prove that it knows the password")

// Scram is SCRAM-SHA-256 (RFC 5802, RFC 7677). The password stays here, and the server proves that it
// knows it: the caller must ask Proven before believing a success.
type Scram struct {
	mechanism string
	username  string
	password  vault.Secret
	binding   Binding
	gs2       string // "p=tls-exporter,,", "n,,", or "y,,": we could bind, the server does not offer it
	nonce     string
	bare      string // client-first-message-bare
	signature []byte // what the server must send
	proven    bool
}

// NewScramSHA256 returns SCRAM-SHA-256. Binding says whether this connection could be bound: then the
// server learns that we saw no offer, and refuses when somebody in the middle has hidden it.
func NewScramSHA256(username string, password vault.Secret, couldBind bool) *Scram {
	s := &Scram{mechanism: ScramSHA256, username: username, password: password, gs2: "n,,", nonce: rand.Text()}
	if couldBind {
		s.gs2 = "y,,"
	}
	return s
}

// NewScramSHA256Plus returns SCRAM-SHA-256-PLUS, bound to the TLS connection.
func NewScramSHA256Plus(username string, password vault.Secret, binding Binding) *Scram {
	return &Scram{mechanism: ScramSHA256Plus, username: username, password: password, binding: binding,
		gs2: "p=" + binding.Type + ",,", nonce: rand.Text()}
}

// Start sends the user name and our nonce.
func (s *Scram) Start() (string, []byte, error) {
	username, err := precis.OpaqueString.String(s.username)
	if err != nil {
		return "", nil, fmt.Errorf("prepare the user name: %w", err)
	}
	s.bare = "n=" + saslname(username) + ",r=" + s.nonce
	return s.mechanism, []byte(s.gs2 + s.bare), nil
}

// Next answers the server's salt with our proof, and checks the server's.
func (s *Scram) Next(challenge []byte) ([]byte, error) {
	if s.signature == nil {
		return s.prove(string(challenge))
	}
	if bytes.HasPrefix(challenge, []byte("e=")) { // refused; the protocol's own reply says why
		return []byte{}, nil
	}
	return []byte{}, s.check(challenge)
}

// Proven reports whether the server has proved that it knows the password.
func (s *Scram) Proven() bool { return s.proven }

// serverFirst is what the server answers to the client's first message.
type serverFirst struct {
	nonce      string
	salt       []byte
	iterations int
}

// prove computes the client's final message (RFC 5802 3).
func (s *Scram) prove(text string) ([]byte, error) {
	first, err := s.parseFirst(text)
	if err != nil {
		return nil, err
	}
	password, err := precis.OpaqueString.String(s.password.Reveal())
	if err != nil {
		return nil, fmt.Errorf("prepare the password: %w", err)
	}
	salted, err := pbkdf2.Key(sha256.New, password, first.salt, first.iterations, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive the key: %w", err)
	}
	bound := base64.StdEncoding.EncodeToString(append([]byte(s.gs2), s.binding.Data...))
	final := "c=" + bound + ",r=" + first.nonce
	message := []byte(s.bare + "," + text + "," + final)

	clientKey := mac(salted, []byte("Client Key"))
	stored := sha256.Sum256(clientKey)
	proof := mac(stored[:], message)
	for i := range proof {
		proof[i] ^= clientKey[i]
	}
	s.signature = mac(mac(salted, []byte("Server Key")), message)
	return []byte(final + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

func (s *Scram) parseFirst(text string) (serverFirst, error) {
	fields := strings.Split(text, ",")
	if len(fields) < 3 || strings.HasPrefix(text, "m=") { // an extension that must be understood
		return serverFirst{}, errors.New("the server's first SCRAM message is not understood")
	}
	nonce, hasNonce := strings.CutPrefix(fields[0], "r=")
	salt64, hasSalt := strings.CutPrefix(fields[1], "s=")
	count, hasCount := strings.CutPrefix(fields[2], "i=")
	salt, saltErr := base64.StdEncoding.DecodeString(salt64)
	iterations, countErr := strconv.Atoi(count)
	switch {
	case !hasNonce || !hasSalt || !hasCount || saltErr != nil || countErr != nil || len(salt) == 0:
		return serverFirst{}, errors.New("the server's first SCRAM message is malformed")
	case !strings.HasPrefix(nonce, s.nonce) || nonce == s.nonce:
		return serverFirst{}, errors.New("the server's nonce does not continue ours")
	case iterations < minIterations || iterations > maxIterations:
		return serverFirst{}, fmt.Errorf("the server asks for %d SCRAM rounds; between %d and %d are accepted",
			iterations, minIterations, maxIterations)
	}
	return serverFirst{nonce: nonce, salt: salt, iterations: iterations}, nil
}

func (s *Scram) check(challenge []byte) error {
	value, _, _ := strings.Cut(string(challenge), ",")
	got, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(value, "v="))
	if err != nil || !hmac.Equal(got, s.signature) {
		return ErrServerProof
	}
	s.proven = true
	return nil
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}
