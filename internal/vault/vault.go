// Package vault keeps secrets: it is the only code that sees keys.
//
// A Secret is a value that does not print. A Box seals secrets with AES-256-GCM under the data keys (a
// Tink keyset) and binds every sealed value to its place: table, row and destination. The data keys are
// stored in the database, themselves sealed by the key file, which lives outside of it. So neither a dump
// of the database nor the key file alone opens anything, and a value moved to another row stays shut.
// The package knows no SQL: callers store the bytes it returns.
package vault

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Sealed is a secret that only the Box opens, and only with the Binding it was sealed with.
type Sealed []byte

// ErrDoesNotOpen says that a sealed value was changed, moved, or sealed by keys that are gone.
var ErrDoesNotOpen = errors.New("the sealed value does not open here: it was changed, moved, or belongs to other keys")

// Binding is the place a sealed value belongs to. It is authenticated, not stored: opening takes the same one.
type Binding struct {
	Table       string
	Row         int64
	Destination string // where the secret may be sent; empty for secrets that stay here
}

// bindingVersion is part of every binding, so that a later form can never be mistaken for this one.
const bindingVersion = "orbit sealed value 1"

// associatedData encodes the binding so that two different bindings never give the same bytes.
func (b Binding) associatedData() []byte {
	data := appendText(nil, bindingVersion)
	data = appendText(data, b.Table)
	data = binary.BigEndian.AppendUint64(data, uint64(b.Row))
	return appendText(data, b.Destination)
}

// check refuses bindings that would fit more than one value.
func (b Binding) check() error {
	if b.Table == "" || b.Row == 0 && b.Destination == "" {
		return fmt.Errorf("bind a sealed value: %+v names no single place", b)
	}
	return nil
}

// appendText writes the length before the text, so that no text can run into the next.
func appendText(data []byte, text string) []byte {
	data = binary.BigEndian.AppendUint32(data, uint32(len(text)))
	return append(data, text...)
}
