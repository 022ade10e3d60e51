package vault

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"google.golang.org/protobuf/proto"
)

// keysetData is the associated data of the sealed keyset; it keeps other values sealed by the key file apart.
const keysetData = "orbit data keys 1"

// ErrKeysetDamaged says that the keyset in the database is not what the right key file sealed.
var ErrKeysetDamaged = errors.New("the keys in this database are damaged: restore the database from a backup (the key file is the right one)")

// NewKeyset makes fresh data keys, sealed by the key file, which is created when it does not exist.
// The caller stores the returned bytes; without them everything sealed by the box is lost.
func NewKeyset(path string, options ...Option) (*Box, []byte, error) {
	if _, err := CreateKeyFile(path); err != nil {
		return nil, nil, err
	}
	file, err := readKeyFile(path)
	if err != nil {
		return nil, nil, err
	}
	keys, err := generateDataKeys()
	if err != nil {
		return nil, nil, err
	}
	sealed, err := keys.seal(file)
	if err != nil {
		return nil, nil, err
	}
	return newBox(file, keys, options), sealed, nil
}

// OpenKeyset opens stored data keys with the key file. It never creates a key file: with another key
// the secrets of this database would be lost, so a missing one is an error that says what to restore.
func OpenKeyset(path string, sealed []byte, options ...Option) (*Box, error) {
	file, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	keys, err := openDataKeys(file, sealed)
	if err != nil {
		return nil, err
	}
	return newBox(file, keys, options), nil
}

func newBox(file keyFile, keys *dataKeys, options []Option) *Box {
	b := &Box{file: file}
	b.keys.Store(keys)
	for _, o := range options {
		o(b)
	}
	return b
}

// Rotate returns the sealed keyset with one more key, the one that will seal from then on. The box itself
// goes on with its present keys until Reload, so nothing is ever sealed by a key that is not stored yet.
func (b *Box) Rotate() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	manager := keyset.NewManagerFromHandle(b.keys.Load().handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("add a data key: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("choose the new data key: %w", err)
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("build the new keyset: %w", err)
	}
	return (&dataKeys{handle: handle}).seal(b.file)
}

// Reload takes over the keyset as it is stored now.
func (b *Box) Reload(sealed []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	keys, err := openDataKeys(b.file, sealed)
	if err != nil {
		return err
	}
	b.keys.Store(keys)
	return nil
}

// ChangeKeyFile returns the same data keys sealed by another key file, which is created when it does not
// exist. The old file is left alone: until the returned bytes are stored it is the one that opens them.
func (b *Box) ChangeKeyFile(path string) ([]byte, error) {
	if _, err := CreateKeyFile(path); err != nil {
		return nil, err
	}
	file, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.keys.Load().seal(file)
}

func generateDataKeys() (*dataKeys, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a data key: %w", err)
	}
	return newDataKeys(handle)
}

func openDataKeys(file keyFile, sealed []byte) (*dataKeys, error) {
	handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(sealed)), file.aead, []byte(keysetData))
	if err == nil {
		return newDataKeys(handle)
	}
	var encrypted tinkpb.EncryptedKeyset
	if proto.Unmarshal(sealed, &encrypted) != nil {
		return nil, ErrKeysetDamaged
	}
	// The sealed keyset names the key that sealed it, so "another file" and "damaged bytes" can be told apart.
	id, ok := keyID(encrypted.GetEncryptedKeyset())
	if ok && id != file.id {
		return nil, file.problem(ErrWrongKeyFile, "does not open the keys in this database: restore the key file from the backup that belongs to this database, or set ORBIT_KEYSET_FILE to the right one")
	}
	return nil, ErrKeysetDamaged
}
