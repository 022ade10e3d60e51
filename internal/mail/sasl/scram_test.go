package sasl

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"orbit/internal/vault"
)

// The exchange of RFC 7677 3.
const (
	rfcNonce       = "rOprNGfwEbeRWgbNEkqO"
	rfcServerFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	rfcClientFinal = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	rfcServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
)

func rfcClient(t *testing.T) *Scram {
	t.Helper()
	s := NewScramSHA256("user", vault.NewSecret("pencil"), false)
	s.nonce = rfcNonce
	if _, initial, err := s.Start(); err != nil || string(initial) != "n,,n=user,r="+rfcNonce {
		t.Fatalf("Start: %q, %v", initial, err)
	}
	return s
}

func TestScramFollowsTheExampleOfItsRFC(t *testing.T) {
	t.Parallel()
	s := rfcClient(t)
	final, err := s.Next([]byte(rfcServerFirst))
	if err != nil || string(final) != rfcClientFinal {
		t.Fatalf("client final %q, %v", final, err)
	}
	if s.Proven() {
		t.Error("proven before the server said anything")
	}
	answer, err := s.Next([]byte(rfcServerFinal))
	if err != nil || answer == nil || len(answer) != 0 || !s.Proven() {
		t.Errorf("server final: %q, %v, proven %t", answer, err, s.Proven())
	}
}

func TestScramRefusesAServerThatDoesNotKnowThePassword(t *testing.T) {
	t.Parallel()
	for _, final := range []string{
		"v=" + base64.StdEncoding.EncodeToString(make([]byte, 32)), "v=", "v=***", "", "x=1",
	} {
		s := rfcClient(t)
		if _, err := s.Next([]byte(rfcServerFirst)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Next([]byte(final)); !errors.Is(err, ErrServerProof) || s.Proven() {
			t.Errorf("%q: %v, proven %t", final, err, s.Proven())
		}
	}
}

func TestScramLeavesTheLastWordOnARefusalToTheProtocol(t *testing.T) {
	t.Parallel()
	s := rfcClient(t)
	if _, err := s.Next([]byte(rfcServerFirst)); err != nil {
		t.Fatal(err)
	}
	if answer, err := s.Next([]byte("e=invalid-proof")); err != nil || answer == nil || s.Proven() {
		t.Errorf("answer %q, %v, proven %t", answer, err, s.Proven())
	}
}

func TestScramRefusesWeakOrEndlessOrForeignChallenges(t *testing.T) {
	t.Parallel()
	salt := ",s=W22ZaJ0SNY7soEsUEjb6gQ=="
	for name, first := range map[string]string{
		"few rounds":     "r=" + rfcNonce + "x" + salt + ",i=1",
		"endless rounds": "r=" + rfcNonce + "x" + salt + ",i=2147483647",
		"our nonce only": "r=" + rfcNonce + salt + ",i=4096",
		"foreign nonce":  "r=abc" + salt + ",i=4096",
		"no salt":        "r=" + rfcNonce + "x,s=,i=4096",
		"bad salt":       "r=" + rfcNonce + "x,s=*,i=4096",
		"bad rounds":     "r=" + rfcNonce + "x" + salt + ",i=4096a",
		"extension":      "m=x,r=" + rfcNonce + "x" + salt + ",i=4096",
		"short":          "r=" + rfcNonce + "x",
		"empty":          "",
	} {
		if answer, err := rfcClient(t).Next([]byte(first)); err == nil {
			t.Errorf("%s: answered %q", name, answer)
		}
	}
}

func TestScramSaysWhetherItCouldHaveBoundTheConnection(t *testing.T) {
	t.Parallel()
	secret := vault.NewSecret("p")
	binding := Binding{Type: "tls-exporter", Data: []byte("xyz")}
	for prefix, s := range map[string]*Scram{
		"n,,":              NewScramSHA256("u=,", secret, false),
		"y,,":              NewScramSHA256("u=,", secret, true),
		"p=tls-exporter,,": NewScramSHA256Plus("u=,", secret, binding),
	} {
		_, initial, err := s.Start()
		if err != nil || !strings.HasPrefix(string(initial), prefix+"n=u=3D=2C,r=") {
			t.Errorf("%q, %v, want prefix %q", initial, err, prefix)
		}
		final, err := s.Next([]byte("r=" + s.nonce + "x,s=c2FsdA==,i=4096"))
		if err != nil {
			t.Fatal(err)
		}
		bound := base64.StdEncoding.EncodeToString([]byte(prefix + string(s.binding.Data)))
		if !strings.HasPrefix(string(final), "c="+bound+",") {
			t.Errorf("%s: final %q", prefix, final)
		}
	}
	if _, _, err := NewScramSHA256("", secret, false).Start(); err == nil {
		t.Error("an empty user name was prepared")
	}
}

func TestBindingIsTheSameOnBothSides(t *testing.T) {
	t.Parallel()
	cert := selfSigned(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			left, right := net.Pipe()
			server := tls.Server(left, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
			done := make(chan error, 1)
			go func() { done <- server.Handshake() }()
			client := tls.Client(right, &tls.Config{MinVersion: version, MaxVersion: version, InsecureSkipVerify: true})
			if err := errors.Join(client.Handshake(), <-done); err != nil {
				t.Fatal(err)
			}
			got, err := NewBinding(client.ConnectionState())
			if err != nil {
				t.Fatal(err)
			}
			if want := serverBinding(t, server.ConnectionState(), cert); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("client %v, server %v", got, want)
			}
		})
	}
}

// serverBinding computes the binding from the server's side.
func serverBinding(t *testing.T, state tls.ConnectionState, cert tls.Certificate) Binding {
	t.Helper()
	if state.Version < tls.VersionTLS13 {
		leaf, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		state.PeerCertificates = []*x509.Certificate{leaf}
	}
	b, err := NewBinding(state)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func FuzzScramServerFirst(f *testing.F) {
	f.Add(rfcServerFirst)
	f.Add("m=x,r=" + rfcNonce)
	f.Fuzz(func(t *testing.T, text string) {
		s := NewScramSHA256("user", vault.NewSecret("pencil"), false)
		s.nonce = rfcNonce
		first, err := s.parseFirst(text)
		if err == nil && (first.iterations > maxIterations || !strings.HasPrefix(first.nonce, rfcNonce)) {
			t.Errorf("accepted %q", text)
		}
	})
}
