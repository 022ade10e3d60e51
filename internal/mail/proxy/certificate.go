package proxy

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"orbit/internal/mail/dial"
)

// certificate is a pair of PEM files, read again when one of them changes: renewal needs no restart.
type certificate struct {
	certFile, keyFile string

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  [2]time.Time
}

// localTLS returns how TLS is spoken with clients, nil where it isn't.
func localTLS(l Listener) *tls.Config {
	if l.LocalSecurity == dial.Plain {
		return nil
	}
	c := &certificate{certFile: l.CertFile, keyFile: l.KeyFile}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, DynamicRecordSizingDisabled: true}
}

// get returns the certificate. A new one that can't be read, perhaps half written, leaves the old in place.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stamp := [2]time.Time{changed(c.certFile), changed(c.keyFile)}
	if c.loaded != nil && stamp == c.stamp {
		return c.loaded, nil
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	switch {
	case err == nil:
		c.loaded, c.stamp = &pair, stamp
	case c.loaded == nil:
		return nil, fmt.Errorf("read the certificate %s with the key %s: %w", c.certFile, c.keyFile, err)
	}
	return c.loaded, nil
}

func changed(file string) time.Time {
	stat, err := os.Stat(file)
	if err != nil {
		return time.Time{}
	}
	return stat.ModTime()
}
