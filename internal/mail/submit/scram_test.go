package submit

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/mailtest"
)

// scramServer is the server's side of SCRAM-SHA-256-PLUS, which none of the real servers here speaks.
type scramServer struct {
	bare, first string
	liar        bool // accepts without proof
}

func (s *scramServer) answer(conn net.Conn, payload string) string {
	decoded, _ := base64.StdEncoding.DecodeString(payload)
	message := string(decoded)
	switch {
	case strings.HasPrefix(message, "p=tls-exporter,,"):
		s.bare = strings.TrimPrefix(message, "p=tls-exporter,,")
		nonce := s.bare[strings.Index(s.bare, "r=")+2:]
		s.first = "r=" + nonce + "server,s=" + base64.StdEncoding.EncodeToString([]byte("salt")) + ",i=4096"
		return "334 " + base64.StdEncoding.EncodeToString([]byte(s.first))
	case strings.HasPrefix(message, "c=") && s.liar:
		return "235 2.7.0 welcome, whoever you are"
	case strings.HasPrefix(message, "c="):
		return s.check(conn.(*tls.Conn).ConnectionState(), message)
	case message == "":
		return "235 2.7.0 ok"
	}
	return "535 5.7.8 not understood"
}

func (s *scramServer) check(state tls.ConnectionState, final string) string {
	exported, _ := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	without, proof, _ := strings.Cut(final, ",p=")
	bound := base64.StdEncoding.EncodeToString(append([]byte("p=tls-exporter,,"), exported...))
	salted, _ := pbkdf2.Key(sha256.New, testPassword, []byte("salt"), 4096, sha256.Size)
	message := s.bare + "," + s.first + "," + without
	clientKey := hmacSum(salted, "Client Key")
	stored := sha256.Sum256(clientKey)
	want := hmacSum(stored[:], message)
	for i := range want {
		want[i] ^= clientKey[i]
	}
	if !strings.HasPrefix(without, "c="+bound+",") || proof != base64.StdEncoding.EncodeToString(want) {
		return "535 5.7.8 wrong proof or binding"
	}
	signature := base64.StdEncoding.EncodeToString(hmacSum(hmacSum(salted, "Server Key"), message))
	return "334 " + base64.StdEncoding.EncodeToString([]byte("v="+signature))
}

func hmacSum(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

func TestScramPlusBindsTheSignInToTheConnection(t *testing.T) {
	t.Parallel()
	cert := mailtest.Certificate(t, mailtest.CertificateOptions{Names: []string{"mail.example.test"}})
	for _, liar := range []bool{false, true} {
		scram := &scramServer{liar: liar}
		server := faulty{
			offers: []string{"AUTH PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS"}, auth: scram.answer,
			tls: &tls.Config{Certificates: []tls.Certificate{cert.TLS}}, implicit: true,
		}.start(t)
		account := account(dial.Implicit, dial.Trust{Rule: dial.Pin, Fingerprint: cert.Fingerprint})
		_, err := Deliver(t.Context(), to{address: server.address}, account, greeting(), nil)
		var e *ladder.Error
		switch {
		case !liar && err != nil:
			t.Error(err)
		case liar && (!errors.As(err, &e) || e.Fault.Code != "auth_server_not_proven"):
			t.Errorf("a server without proof: %v", err)
		}
	}
}
