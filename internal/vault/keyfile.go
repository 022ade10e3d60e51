package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// What can be wrong with a key file; errors.Is finds them under a sentence that names the file and the remedy.
var (
	ErrKeyFileMissing = errors.New("key file missing")
	ErrKeyFileExposed = errors.New("key file readable by others")
	ErrKeyFileDamaged = errors.New("key file damaged")
	ErrWrongKeyFile   = errors.New("wrong key file")
)

// KeyFileError is a problem with the key file, in one sentence for the administrator.
type KeyFileError struct {
	Path string
	Kind error // one of the errors above, or what the operating system said
	Text string
}

func (e *KeyFileError) Error() string { return "the key file " + e.Path + " " + e.Text }

func (e *KeyFileError) Unwrap() error { return e.Kind }

// keyFile is the key that seals the data keys. On disk it is a Tink keyset in JSON, in clear: the
// protection of the file is its mode.
type keyFile struct {
	path string
	aead tink.AEAD
	id   uint32
}

func (f keyFile) problem(kind error, format string, args ...any) error {
	return &KeyFileError{Path: f.path, Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// maxKeyFile is far more than a key file with a dozen keys needs.
const maxKeyFile = 64 << 10

// CreateKeyFile writes a new key file of mode 0600, in a directory of mode 0700 when that must be made too.
// An existing file is never touched; created is false then.
func CreateKeyFile(path string) (created bool, err error) {
	if _, err := os.Lstat(path); err == nil {
		return false, nil
	}
	content, err := newKeyFileContent()
	if err != nil {
		return false, err
	}
	err = writeOnce(path, content)
	if errors.Is(err, fs.ErrExist) {
		return false, nil // another process was faster; its key counts
	}
	if err != nil {
		return false, keyFile{path: path}.problem(err, "cannot be created: %v", err)
	}
	return true, nil
}

// writeOnce makes the file appear complete or not at all, and never in the place of another: it is written
// under another name, flushed, and then linked, which fails when the name is taken.
func writeOnce(path string, content []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(dir, ".new-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(content)
	err = errors.Join(err, draft.Sync(), draft.Close())
	if err != nil {
		return err
	}
	if err := os.Link(draft.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a new name in the directory survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func readKeyFile(path string) (keyFile, error) {
	file := keyFile{path: path}
	content, err := file.read()
	if err != nil {
		return file, err
	}
	if err := file.parse(content); err != nil {
		return file, file.problem(ErrKeyFileDamaged, "is damaged or is no key file: restore the key file from the backup")
	}
	return file, nil
}

// read looks at the mode of the opened file, not of the name, so that the two cannot differ.
func (f *keyFile) read() ([]byte, error) {
	opened, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.problem(ErrKeyFileMissing, "does not exist, and nothing else opens the keys in this database: restore the key file from the backup, or set ORBIT_KEYSET_FILE to where it is")
	}
	if err != nil {
		return nil, f.problem(err, "cannot be read: %v", err)
	}
	defer opened.Close()
	stat, err := opened.Stat()
	if err != nil {
		return nil, f.problem(err, "cannot be read: %v", err)
	}
	if !stat.Mode().IsRegular() {
		return nil, f.problem(ErrKeyFileDamaged, "is not a regular file: restore the key file from the backup")
	}
	if mode := stat.Mode().Perm(); mode&0o077 != 0 {
		return nil, f.problem(ErrKeyFileExposed, "can be read or changed by other users (mode %04o): run \"chmod 600 %s\"", mode, f.path)
	}
	content, err := io.ReadAll(io.LimitReader(opened, maxKeyFile))
	if err != nil {
		return nil, f.problem(err, "cannot be read: %v", err)
	}
	return content, nil
}

func (f *keyFile) parse(content []byte) error {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(content)))
	if err != nil {
		return err
	}
	f.aead, err = aead.New(handle)
	f.id = handle.KeysetInfo().GetPrimaryKeyId()
	return err
}

func newKeyFileContent() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a key for the key file: %w", err)
	}
	var content bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&content)); err != nil {
		return nil, fmt.Errorf("encode the key file: %w", err)
	}
	return append(content.Bytes(), '\n'), nil
}

// newMemoryKeyFile is a key file that exists for tests only, without a path.
func newMemoryKeyFile() (keyFile, error) {
	content, err := newKeyFileContent()
	if err != nil {
		return keyFile{}, err
	}
	file := keyFile{}
	return file, file.parse(content)
}
