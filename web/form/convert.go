package form

import (
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"orbit/internal/vault"
)

var secretType = reflect.TypeFor[vault.Secret]()

// rule is what the tags of a field say: form:"name,lines", label, min, max, maxlength.
type rule struct {
	name      string
	label     string
	lines     bool // several lines are allowed
	min, max  int64
	bounded   bool
	maxLength int
}

func newRule(f reflect.StructField, name string) rule {
	_, options, _ := strings.Cut(f.Tag.Get("form"), ",")
	r := rule{name: name, label: f.Tag.Get("label"), lines: options == "lines", maxLength: maxLine}
	if r.label == "" {
		r.label = Label(name)
	}
	if r.lines {
		r.maxLength = maxLines
	}
	if n, err := strconv.Atoi(f.Tag.Get("maxlength")); err == nil {
		r.maxLength = n
	}
	least, leastErr := strconv.ParseInt(f.Tag.Get("min"), 10, 64)
	most, mostErr := strconv.ParseInt(f.Tag.Get("max"), 10, 64)
	if leastErr == nil && mostErr == nil {
		r.min, r.max, r.bounded = least, most, true
	}
	return r
}

// Label makes words of a field name: "smtp_host" is "Smtp host".
func Label(name string) string {
	words := strings.ReplaceAll(name, "_", " ")
	first, size := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(first)) + words[size:]
}

// set converts text into v and returns the sentence that says what is wrong with it, or "".
func (r rule) set(v reflect.Value, text string) string {
	if !utf8.ValidString(text) {
		return r.label + " holds characters that are not text. Type it instead of pasting it."
	}
	switch v.Kind() {
	case reflect.String:
		return r.text(v, text)
	case reflect.Bool:
		return r.yesNo(v, text)
	case reflect.Int, reflect.Int32, reflect.Int64:
		return r.number(v, text)
	case reflect.Pointer:
		return r.optional(v, text)
	default:
		panic("form: field " + r.name + " has a type that no form can fill: " + v.Type().String())
	}
}

func (r rule) text(v reflect.Value, text string) string {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if problem := r.checkText(text); problem != "" {
		return problem
	}
	v.SetString(text)
	return ""
}

func (r rule) checkText(text string) string {
	switch {
	case utf8.RuneCountInString(text) > r.maxLength:
		return r.label + " is too long: use at most " + strconv.Itoa(r.maxLength) + " characters."
	case strings.ContainsFunc(text, r.forbidden):
		if r.lines {
			return r.label + " holds control characters. Type it instead of pasting it."
		}
		return r.label + " must be one line without control characters."
	}
	return ""
}

func (r rule) forbidden(c rune) bool {
	if r.lines && (c == '\n' || c == '\t') {
		return false
	}
	return unicode.IsControl(c)
}

func (r rule) yesNo(v reflect.Value, text string) string {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "yes", "on", "true", "1":
		v.SetBool(true)
	case "no", "off", "false", "0", "":
		v.SetBool(false)
	default:
		return "Choose Yes or No for " + r.label + "."
	}
	return ""
}

func (r rule) number(v reflect.Value, text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		v.SetInt(0)
		return ""
	}
	n, err := strconv.ParseInt(text, 10, v.Type().Bits())
	if err != nil || r.bounded && (n < r.min || n > r.max) {
		return r.wantsNumber()
	}
	v.SetInt(n)
	return ""
}

func (r rule) wantsNumber() string {
	if r.bounded {
		return r.label + " must be a number from " + strconv.FormatInt(r.min, 10) + " to " + strconv.FormatInt(r.max, 10) + "."
	}
	return r.label + " must be a whole number, digits only."
}

// optional fills a pointer; a blank text is nil.
func (r rule) optional(v reflect.Value, text string) string {
	if strings.TrimSpace(text) == "" {
		v.SetZero()
		return ""
	}
	target := reflect.New(v.Type().Elem())
	if problem := r.set(target.Elem(), text); problem != "" {
		return problem
	}
	v.Set(target)
	return ""
}

// secret takes a password as it is: spaces may belong to it. A blank one keeps what was there.
func (r rule) secret(v reflect.Value, text string) string {
	if text == "" {
		return ""
	}
	if !utf8.ValidString(text) || len(text) > maxLines || strings.ContainsRune(text, 0) {
		return r.label + " holds characters that are not text, or is too long."
	}
	v.Set(reflect.ValueOf(vault.NewSecret(text)))
	return ""
}

// list fills a slice of texts from a field that was posted several times; blanks fall away.
func (r rule) list(v reflect.Value, posted []string) string {
	all := reflect.MakeSlice(v.Type(), 0, len(posted))
	for _, text := range posted {
		item := reflect.New(v.Type().Elem()).Elem()
		if problem := r.set(item, text); problem != "" {
			return problem
		}
		if item.String() != "" {
			all = reflect.Append(all, item)
		}
	}
	v.Set(all)
	return ""
}
