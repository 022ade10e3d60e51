// Package form turns a posted form into a value, and says what is wrong with what was typed.
//
// The fields of the value carry the posted names: the tag form:"smtp_host", or the JSON name where there is no
// form tag, because forms and JSON use the same names. What could not be converted is a problem beside its
// field; what is not in the form keeps the value it had; what the value does not know is ignored. Typed keeps the
// texts for showing the form again, and never a secret.
package form

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"orbit/internal/problem"
)

// Limits of one posted form. The web server limits the bytes; these limit what a value may hold.
const (
	maxLine  = 1000     // characters of a one-line text, if its field names no other limit
	maxLines = 64 << 10 // characters of a text of several lines: a certificate chain fits
)

// ErrMalformed says that the body is not a form.
var ErrMalformed = errors.New("the form could not be read")

// Typed is what somebody typed, by field name, without secrets.
type Typed map[string]string

// Read fills into from the form that was posted with r. into points to a struct. The problems are those of conversion;
// the value's own rules are asked afterwards, see Join. The error says that there is no readable form at all.
func Read(r *http.Request, into any) (Typed, problem.Invalid, error) {
	if err := r.ParseForm(); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, nil, tooLarge
		}
		return nil, nil, errors.Join(ErrMalformed, err)
	}
	typed, wrong := Decode(r.PostForm, into)
	return typed, wrong, nil
}

// Decode fills into from values. Read uses it for forms, reports use it for the filters in the query.
func Decode(values url.Values, into any) (Typed, problem.Invalid) {
	d := decoder{values: values, typed: Typed{}}
	d.structure(reflect.ValueOf(into).Elem())
	return d.typed, d.wrong
}

// Join puts the problems of conversion and those of the value's own rules together. A field that could not even
// be converted is not also blamed for being empty.
func Join(converted problem.Invalid, rules error) (problem.Invalid, error) {
	var invalid problem.Invalid
	if rules != nil && !errors.As(rules, &invalid) {
		return nil, rules
	}
	all := append(problem.Invalid(nil), converted...)
	for _, p := range invalid {
		if p.Name == "" || converted.For(p.Name) == "" {
			all = append(all, p)
		}
	}
	return all, nil
}

// Or returns what was typed into the field, or fallback when the form was not posted yet.
func (t Typed) Or(field, fallback string) string {
	if text, ok := t[field]; ok {
		return text
	}
	return fallback
}

// decoder walks through a struct.
type decoder struct {
	values url.Values
	typed  Typed
	wrong  problem.Invalid
}

func (d *decoder) structure(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			d.structure(v.Field(i))
			continue
		}
		name := fieldName(f)
		if name == "" || !f.IsExported() {
			continue
		}
		if posted, ok := d.values[name]; ok {
			d.field(v.Field(i), newRule(f, name), posted)
		}
	}
}

// fieldName is the name under which a field is posted; empty for a field that no form may set.
func fieldName(f reflect.StructField) string {
	tag, ok := f.Tag.Lookup("form")
	if !ok {
		tag = f.Tag.Get("json")
	}
	name, _, _ := strings.Cut(tag, ",")
	if name == "-" {
		return ""
	}
	return name
}

func (d *decoder) field(v reflect.Value, r rule, posted []string) {
	last := ""
	if len(posted) > 0 {
		last = posted[len(posted)-1] // a checkbox stands after its hidden "no"
	}
	var text string
	switch {
	case v.Type() == secretType:
		text = r.secret(v, last)
	case v.Kind() == reflect.Slice:
		text = r.list(v, posted)
	default:
		d.typed[r.name] = last
		text = r.set(v, last)
	}
	if text != "" {
		d.wrong.Add(r.name, "%s", text)
	}
}
