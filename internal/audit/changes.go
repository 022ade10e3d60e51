package audit

import (
	"reflect"
	"strings"
	"time"
	"unicode"

	"orbit/internal/vault"
)

// Changes compares two versions of a record, structs or pointers to them, and gives the detail of an
// entry: "port": {"was": 25, "now": 587}. Fields go by their db tag, else their json tag, else their name
// in snake case. With nil before (created) or after (deleted) the fields that are not empty are listed
// with one side only. Secrets are left out, and what the entry says already (who and when).
func Changes(before, after any) map[string]any {
	was, now := fieldsOf(before), fieldsOf(after)
	changes := map[string]any{}
	for name, value := range now {
		old, existed := was[name]
		switch {
		case was == nil && !value.IsZero():
			changes[name] = map[string]any{"now": value.Interface()}
		case was != nil && (!existed || !equal(old, value)):
			changes[name] = map[string]any{"was": valueOf(old), "now": value.Interface()}
		}
	}
	if now != nil {
		return changes
	}
	for name, value := range was {
		if !value.IsZero() {
			changes[name] = map[string]any{"was": value.Interface()}
		}
	}
	return changes
}

// housekeeping says what the entry itself says already.
var housekeeping = map[string]bool{
	"id": true, "created_at": true, "created_by": true, "changed_at": true, "changed_by": true, "version": true,
}

// never are types that hold secrets.
var never = map[reflect.Type]bool{
	reflect.TypeFor[vault.Secret]():  true,
	reflect.TypeFor[*vault.Secret](): true,
	reflect.TypeFor[vault.Sealed]():  true,
}

// fieldsOf lists the fields of a struct by name, embedded ones included; nil when there is no struct.
func fieldsOf(record any) map[string]reflect.Value {
	value := reflect.Indirect(reflect.ValueOf(record))
	if !value.IsValid() || value.Kind() != reflect.Struct {
		return nil
	}
	fields := map[string]reflect.Value{}
	for _, f := range reflect.VisibleFields(value.Type()) {
		name := columnName(f)
		if f.Anonymous || !f.IsExported() || never[f.Type] || name == "-" || housekeeping[name] {
			continue
		}
		if field, err := value.FieldByIndexErr(f.Index); err == nil { // the error: inside an embedded nil pointer
			fields[name] = field
		}
	}
	return fields
}

func columnName(f reflect.StructField) string {
	for _, key := range []string{"db", "json"} {
		if name, _, _ := strings.Cut(f.Tag.Get(key), ","); name != "" {
			return name
		}
	}
	return snake(f.Name)
}

// snake turns SMTPHost into smtp_host.
func snake(name string) string {
	var out strings.Builder
	letters := []rune(name)
	for i, r := range letters {
		startsWord := i > 0 && unicode.IsUpper(r) &&
			(!unicode.IsUpper(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1]))
		if startsWord {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

func equal(a, b reflect.Value) bool {
	if x, ok := a.Interface().(time.Time); ok {
		y, ok := b.Interface().(time.Time)
		return ok && x.Equal(y)
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

func valueOf(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	return v.Interface()
}
