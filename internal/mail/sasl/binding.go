package sasl

import (
	"crypto"
	_ "crypto/sha256" // the hashes that certificates are signed with
	_ "crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// Binding ties a sign-in to the TLS connection under it (RFC 5056): somebody in the middle, with a
// certificate that we accept, can't pass the exchange on.
type Binding struct {
	Type string
	Data []byte
}

// NewBinding returns the binding for a connection: tls-exporter for TLS 1.3 (RFC 9266), and for older
// versions tls-server-end-point (RFC 5929 4), which survives session resumption where tls-unique does not.
func NewBinding(state tls.ConnectionState) (Binding, error) {
	if state.Version >= tls.VersionTLS13 {
		return exporter(state)
	}
	return serverEndPoint(state)
}

func exporter(state tls.ConnectionState) (Binding, error) {
	data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		return Binding{}, fmt.Errorf("export channel binding: %w", err)
	}
	return Binding{Type: "tls-exporter", Data: data}, nil
}

func serverEndPoint(state tls.ConnectionState) (Binding, error) {
	if len(state.PeerCertificates) == 0 {
		return Binding{}, errors.New("no server certificate to bind to")
	}
	leaf := state.PeerCertificates[0]
	hash := endPointHash(leaf.SignatureAlgorithm)
	if hash == 0 {
		return Binding{}, fmt.Errorf("no channel binding for a certificate signed with %s", leaf.SignatureAlgorithm)
	}
	sum := hash.New()
	sum.Write(leaf.Raw)
	return Binding{Type: "tls-server-end-point", Data: sum.Sum(nil)}, nil
}

// endPointHash is the hash of the certificate's signature, SHA-256 in place of MD5 and SHA-1 (RFC 5929 4.1).
// It is undefined where the signature has no single hash (Ed25519).
func endPointHash(algorithm x509.SignatureAlgorithm) crypto.Hash {
	switch algorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1,
		x509.SHA256WithRSA, x509.DSAWithSHA256, x509.ECDSAWithSHA256, x509.SHA256WithRSAPSS:
		return crypto.SHA256
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		return crypto.SHA384
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		return crypto.SHA512
	default:
		return 0
	}
}
