package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"orbit/internal/vault"
)

func TestDetailNeverHoldsASecret(t *testing.T) {
	const clear = "open sesame"
	secret := vault.NewSecret(clear)
	shown := map[string]any{
		"value":   secret,
		"pointer": &secret,
		"inner":   map[string]any{"list": []any{secret, 1}},
		"sealed":  vault.Sealed(clear),
	}
	got, err := encodeDetail(shown)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"inner":{"list":["[secret]",1]},"pointer":"[secret]","sealed":"[secret]","value":"[secret]"}`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for name, hidden := range map[string]any{
		"struct":  struct{ Password vault.Secret }{secret},
		"pointer": &struct{ Password *vault.Secret }{&secret},
		"slice":   []vault.Secret{secret},
		"map":     map[string]vault.Secret{"password": secret},
	} {
		if got, err := encodeDetail(map[string]any{"it": hidden}); err == nil {
			t.Errorf("%s: a secret inside was encoded as %s, want an error", name, got)
		} else if strings.Contains(err.Error(), clear) {
			t.Errorf("%s: the error shows the secret: %v", name, err)
		}
	}
}

// awkward are values that JSON, Go and PostgreSQL spell differently.
func awkward() map[string]any {
	return map[string]any{
		"int": math.MaxInt64, "negative": math.MinInt64, "huge": uint64(math.MaxUint64), "zero": 0, "minus zero": math.Copysign(0, -1),
		"float": 1.5, "exponent": 1e21, "whole float": 3.0, "tiny": 5e-324,
		"text": "a\x00b\xff<&>\u2028", "quotes": `"\` + "\n\t", "unicode": "Grüße 🛰️ e\u0301",
		"long": strings.Repeat("ü", 5000), "empty": "", "null": nil, "yes": true,
		"time": time.Date(2026, 11, 23, 15, 0, 0, 123456789, time.FixedZone("", 3600)),
		"err":  errors.New("refused"), "list": []string{"b", "a"}, "nested": map[string]any{"z": 1, "a": []any{}},
		"key\x00\xff": 1,
	}
}

func TestDetailIsCanonical(t *testing.T) {
	once, err := encodeDetail(awkward())
	if err != nil {
		t.Fatal(err)
	}
	twice, err := canonicalJSON(once)
	if err != nil || !bytes.Equal(once, twice) {
		t.Errorf("its own output changed (%v):\n%s\n%s", err, once, twice)
	}
	if bytes.Contains(once, []byte(`\u0000`)) || len(once) > 4000 {
		t.Errorf("not fit to be stored: %s", once)
	}
}

func FuzzCanonicalJSONLeavesItsOutputUnchanged(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1e3}`, `["\ud800"]`, `{"b":{"":-0}}`, `"\u0000"`, `1.0`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		once, err := canonicalJSON(raw)
		if err != nil {
			return
		}
		twice, err := canonicalJSON(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%q became %q, then %q (%v)", raw, once, twice, err)
		}
	})
}

func TestTextsAreMadeStorable(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"plain", "plain"},
		{"a\x00b", "ab"},
		{"\xff", "\uFFFD"},
		{strings.Repeat("a", 41), strings.Repeat("a", 26) + "… (41 bytes)"},
		{strings.Repeat("ü", 21), strings.Repeat("ü", 13) + "… (42 bytes)"},
	} {
		if got := storable(tt.in, 40); got != tt.want {
			t.Errorf("storable(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestChangesNamesWhatDiffers(t *testing.T) {
	type timestamps struct {
		CreatedAt time.Time `db:"created_at"`
		CheckedAt time.Time `db:"checked_at"`
	}
	type record struct {
		ID       int64
		Version  int
		Name     string       `json:"account_name,omitempty"`
		SMTPHost string       // no tag
		Port     int          `db:"port" json:"other"`
		Active   bool         `json:"active"`
		Password vault.Secret `json:"password"`
		Sealed   vault.Sealed `db:"sealed"`
		Ignored  string       `db:"-"`
		private  string
		timestamps
	}
	moment := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	was := record{1, 1, "Office", "a.example", 25, true, vault.NewSecret("a"), vault.Sealed("a"), "x", "p", timestamps{moment, moment}}
	now := record{1, 2, "Office", "b.example", 587, false, vault.NewSecret("b"), vault.Sealed("b"), "y", "q",
		timestamps{moment.Add(1), moment.In(time.FixedZone("", 3600))}}
	for name, tt := range map[string]struct {
		before, after any
		want          string
	}{
		"changed":   {was, &now, `{"active":{"now":false,"was":true},"port":{"now":587,"was":25},"smtp_host":{"now":"b.example","was":"a.example"}}`},
		"same":      {&was, was, `{}`},
		"created":   {nil, now, `{"account_name":{"now":"Office"},"checked_at":{"now":"2026-01-02T04:04:05+01:00"},"port":{"now":587},"smtp_host":{"now":"b.example"}}`},
		"deleted":   {(*record)(nil), nil, `{}`},
		"deleted 2": {&now, nil, `{"account_name":{"was":"Office"},"checked_at":{"was":"2026-01-02T04:04:05+01:00"},"port":{"was":587},"smtp_host":{"was":"b.example"}}`},
	} {
		got, err := json.Marshal(Changes(tt.before, tt.after))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, tt.want)
		}
	}
}

func TestFieldNamesBecomeColumnNames(t *testing.T) {
	for in, want := range map[string]string{"ID": "id", "SMTPHost": "smtp_host", "MaxPerMinute": "max_per_minute", "UserID": "user_id", "A": "a", "": ""} {
		if got := snake(in); got != want {
			t.Errorf("snake(%q) = %q, want %q", in, got, want)
		}
	}
}
