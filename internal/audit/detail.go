package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"orbit/internal/vault"
)

// masked stands for a secret that a feature put into a detail by mistake.
const masked = "[secret]"

// encodeDetail gives the bytes that are stored and hashed. Secrets in plain sight are masked; a secret
// inside another value makes the encoding fail, and with it the transaction that would have stored it.
func encodeDetail(detail map[string]any) ([]byte, error) {
	if len(detail) == 0 {
		return []byte("{}"), nil
	}
	raw, err := json.Marshal(mask(detail))
	if err != nil {
		return nil, fmt.Errorf("encode the detail: %w", err)
	}
	return canonicalJSON(raw)
}

// mask replaces secrets and turns errors into their text, which JSON would drop.
func mask(value any) any {
	switch v := value.(type) {
	case vault.Secret, *vault.Secret, vault.Sealed:
		return masked
	case error:
		return v.Error()
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, inner := range v {
			out[key] = mask(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = mask(inner)
		}
		return out
	}
	return value
}

// canonicalJSON writes JSON so that storing it as jsonb and reading it back gives the same bytes: keys
// sorted, whole numbers only (others become texts, since jsonb spells 1e3 its own way), no NUL, no
// endless texts. It leaves its own output unchanged.
func canonicalJSON(raw []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(plain(value))
}

func plain(value any) any {
	switch v := value.(type) {
	case string:
		return storable(v, maxText)
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n
		}
		return v.String()
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, inner := range v {
			out[storable(key, maxName)] = plain(inner)
		}
		return out
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
		return v
	}
	return value // null, true, false
}
