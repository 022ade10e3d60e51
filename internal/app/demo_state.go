package app

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"orbit/internal/sandbox"
	"orbit/internal/sandbox/idp"
)

// demoState is what a demo remembers between its runs. The sandbox itself forgets everything.
type demoState struct {
	Certificate       sandbox.Certificate `json:"certificate"`
	ClientCertificate sandbox.Certificate `json:"client_certificate"`
	ServiceAccount    json.RawMessage     `json:"service_account"`
	Password          string              `json:"password"` // of the administrator that the demo has made
	Seeded            bool                `json:"seeded"`
	SeededInbox       bool                `json:"seeded_inbox"`
}

// renewBefore is how long before its end a certificate is replaced.
const renewBefore = 30 * 24 * time.Hour

func demoStateFile(dir string) string { return filepath.Join(dir, "demo.json") }

// openDemoState reads what a demo in dir remembers, and makes what is missing.
func openDemoState(dir string) (s demoState, err error) {
	if err := makeDemoDir(dir); err != nil {
		return demoState{}, err
	}
	file := demoStateFile(dir)
	content, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return demoState{}, fmt.Errorf("read what the demo remembers: %w", err)
	}
	if err == nil && json.Unmarshal(content, &s) != nil {
		return demoState{}, fmt.Errorf("%s is damaged: remove %s to begin the demo anew", file, dir)
	}
	if changed, err := s.complete(); !changed || err != nil {
		return s, err
	}
	return s, s.save(dir)
}

// complete makes what is missing and reports whether anything was.
func (s *demoState) complete() (changed bool, err error) {
	if s.Password == "" {
		s.Password, changed = newPassword(), true
	}
	if !lasts(s.Certificate.Chain) {
		if s.Certificate, err = sandbox.NewCertificate(); err != nil {
			return false, err
		}
		changed = true
	}
	if !lasts(s.ClientCertificate.Chain) {
		if s.ClientCertificate, err = sandbox.NewClientCertificate("Orbit demo"); err != nil {
			return false, err
		}
		changed = true
	}
	if len(s.ServiceAccount) == 0 {
		if _, s.ServiceAccount, err = idp.NewServiceAccount("orbit@demo.iam.orbit.example", ""); err != nil {
			return false, err
		}
		changed = true
	}
	return changed, nil
}

// makeDemoDir makes the data directory, as the private PostgreSQL would: as root its own user must pass.
func makeDemoDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	mode := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return fmt.Errorf("make the directory of the demo: %w", err)
	}
	return os.Chmod(dir, mode) // whatever the umask says
}

// lasts reports whether a certificate is there and good for a while.
func lasts(chain string) bool {
	leaf, err := leafOf(chain)
	return err == nil && time.Until(leaf.NotAfter) > renewBefore
}

func leafOf(chain string) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(chain))
	if block == nil {
		return nil, errors.New("no certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

func (s demoState) save(dir string) error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("remember the demo: %w", err)
	}
	return writeWhole(demoStateFile(dir), content)
}

// writeWhole replaces a file that only this user may read, by all of content or not at all.
func writeWhole(file string, content []byte) error {
	temporary := file + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err := os.Rename(temporary, file); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}

// TrustDemo makes this process trust the sandbox's certificate beside those of the system, as if the provider
// were one of the world's: registrations of the OAuth 2.0 proxy verify it. It must come before the first
// connection: Go reads the system's authorities once.
func (d *Demo) TrustDemo() error {
	trusted := filepath.Join(d.dir, "trust")
	if err := os.MkdirAll(trusted, 0o755); err != nil {
		return fmt.Errorf("make the directory of the demo's authority: %w", err)
	}
	if err := writeWhole(filepath.Join(trusted, "sandbox.pem"), []byte(d.Sandbox.Certificate.CA)); err != nil {
		return err
	}
	others := os.Getenv("SSL_CERT_DIR")
	if others == "" {
		others = "/etc/ssl/certs"
	}
	return os.Setenv("SSL_CERT_DIR", trusted+string(os.PathListSeparator)+others)
}
