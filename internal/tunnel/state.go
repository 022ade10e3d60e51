package tunnel

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"orbit/internal/vault"
)

const stateFile = "agent.json"

// State is what an agent keeps: the key by which the server knows it.
type State struct {
	Seed     []byte `json:"seed"`            // of the Ed25519 key
	Enrolled bool   `json:"enrolled"`        // the server has taken the key
	Token    string `json:"token,omitempty"` // SHA-256 of the token that brought it in
	Agent    int64  `json:"agent,omitempty"` // as the server calls it
	Name     string `json:"name,omitempty"`  // likewise
	dir      string
}

// OpenState reads the state in a directory, or makes a new one there.
func OpenState(dir string) (*State, error) {
	s, err := readState(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	s = newState(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the agent's directory: %w", err)
	}
	err = s.store(os.Link) // a second process that starts at the same time takes the key of the first
	if errors.Is(err, fs.ErrExist) {
		return readState(dir)
	}
	return s, err
}

func newState(dir string) *State {
	s := &State{Seed: make([]byte, ed25519.SeedSize), dir: dir}
	_, _ = rand.Read(s.Seed) // never fails
	return s
}

func readState(dir string) (*State, error) {
	path := filepath.Join(dir, stateFile)
	found, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if found.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s holds the agent's key and others may read it: run chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the agent's key: %w", err)
	}
	s := &State{dir: dir}
	if err := json.Unmarshal(text, s); err != nil || len(s.Seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s is damaged: remove it and enrol the agent again with a new token", path)
	}
	return s, nil
}

// store writes the state beside its place and puts it there by place, os.Link or os.Rename.
func (s *State) store(place func(from, to string) error) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(s.dir, stateFile+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("keep the agent's key: %w", err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("keep the agent's key: %w", err)
	}
	if err := place(file.Name(), filepath.Join(s.dir, stateFile)); err != nil {
		return fmt.Errorf("keep the agent's key: %w", err)
	}
	return nil
}

func (s *State) key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(s.Seed) }

// broughtInBy reports whether this token is the one that was used up.
func (s *State) broughtInBy(token vault.Secret) bool { return s.Token == tokenHash(token) }

// tokenHash is what is kept of a token that was used.
func tokenHash(token vault.Secret) string {
	if token.IsZero() {
		return ""
	}
	sum := token.Digest([]byte(stateFile))
	return hex.EncodeToString(sum[:sha256.Size/2])
}

// ed25519PublicKey is what crypto.PrivateKey.Public returns for these keys.
type ed25519PublicKey = ed25519.PublicKey
