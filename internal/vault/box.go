package vault

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Box seals and opens secrets. It is safe for concurrent use, also while its keys change.
type Box struct {
	keys   atomic.Pointer[dataKeys]
	reload func() ([]byte, error) // may be nil

	mu   sync.Mutex // held while keys or file change
	file keyFile
}

// dataKeys are the keys in use, never changed once built.
type dataKeys struct {
	handle  *keyset.Handle
	aead    tink.AEAD
	primary uint32
	known   map[uint32]bool
}

// Option changes how a Box behaves.
type Option func(*Box)

// ReloadFrom lets the box fetch the stored keyset again when it meets a value sealed by a key it does not
// know, which happens when another Orbit process has changed the keys.
func ReloadFrom(stored func() ([]byte, error)) Option {
	return func(b *Box) { b.reload = stored }
}

// Seal closes a secret for one place.
func (b *Box) Seal(s Secret, place Binding) (Sealed, error) {
	if s.IsZero() {
		return nil, fmt.Errorf("seal a value of %s: there is no secret", place.Table)
	}
	if err := place.check(); err != nil {
		return nil, err
	}
	sealed, err := b.keys.Load().aead.Encrypt([]byte(s.text()), place.associatedData())
	if err != nil {
		return nil, fmt.Errorf("seal a value of %s: %w", place.Table, err)
	}
	return sealed, nil
}

// Open returns the secret sealed for that place, or ErrDoesNotOpen.
func (b *Box) Open(s Sealed, place Binding) (Secret, error) {
	if err := place.check(); err != nil {
		return Secret{}, err
	}
	keys, err := b.keysFor(s)
	if err != nil {
		return Secret{}, err
	}
	clear, err := keys.aead.Decrypt(s, place.associatedData())
	if err != nil {
		return Secret{}, fmt.Errorf("open a value of %s: %w", place.Table, ErrDoesNotOpen)
	}
	return NewSecret(string(clear)), nil
}

// NeedsReseal reports whether a value was sealed by another than the newest key.
func (b *Box) NeedsReseal(s Sealed) bool {
	id, ok := keyID(s)
	return !ok || id != b.keys.Load().primary
}

// keysFor returns keys that include the one that sealed s, fetching the stored keyset when it is newer.
func (b *Box) keysFor(s Sealed) (*dataKeys, error) {
	keys := b.keys.Load()
	id, ok := keyID(s)
	if !ok || keys.known[id] || b.reload == nil {
		return keys, nil
	}
	stored, err := b.reload()
	if err != nil {
		return nil, fmt.Errorf("fetch the changed keys: %w", err)
	}
	if err := b.Reload(stored); err != nil {
		return nil, err
	}
	return b.keys.Load(), nil
}

// Tink puts a version byte and the key's number before every sealed value.
const (
	prefixVersion = 1
	prefixLength  = 5
)

func keyID(sealed []byte) (uint32, bool) {
	if len(sealed) < prefixLength || sealed[0] != prefixVersion {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:prefixLength]), true
}

func newDataKeys(handle *keyset.Handle) (*dataKeys, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("use the data keys: %w", err)
	}
	info := handle.KeysetInfo()
	keys := &dataKeys{handle: handle, aead: primitive, primary: info.GetPrimaryKeyId(), known: map[uint32]bool{}}
	for _, k := range info.GetKeyInfo() {
		keys.known[k.GetKeyId()] = true
	}
	return keys, nil
}

// seal writes the keyset encrypted by the key file's key.
func (k *dataKeys) seal(f keyFile) ([]byte, error) {
	var sealed bytes.Buffer
	err := k.handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&sealed), f.aead, []byte(keysetData))
	if err != nil {
		return nil, fmt.Errorf("seal the data keys: %w", err)
	}
	return sealed.Bytes(), nil
}

// NewTestBox returns a box with fresh keys that live in memory only.
func NewTestBox() *Box {
	file, err := newMemoryKeyFile()
	if err != nil {
		panic(err)
	}
	keys, err := generateDataKeys()
	if err != nil {
		panic(err)
	}
	b := &Box{file: file}
	b.keys.Store(keys)
	return b
}
