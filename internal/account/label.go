package account

import (
	"fmt"
	"reflect"

	"orbit/internal/problem"
)

// Label returns the words that people see for a field of an account, e.g. "SMTP host" for "smtp_host". What both
// kinds of account have is called the same in both.
func Label(field string) string { return labels[field] }

// labels is read once from the struct tags, so that form, conflict and command line use the same words.
var labels = func() map[string]string {
	found := map[string]string{}
	for _, settings := range []reflect.Type{reflect.TypeFor[SMTPSettings](), reflect.TypeFor[MailboxSettings]()} {
		for f := range settings.Fields() {
			found[f.Tag.Get("db")] = f.Tag.Get("label")
		}
	}
	return found
}()

// differences lists the fields in which two settings differ, in the order of the form.
func differences(stored, typed any) []problem.Change {
	now, yours := reflect.ValueOf(stored), reflect.ValueOf(typed)
	var changes []problem.Change
	for i := range now.NumField() {
		if now.Field(i).Equal(yours.Field(i)) {
			continue
		}
		tag := now.Type().Field(i).Tag
		changes = append(changes, problem.Change{
			Field: tag.Get("db"), Label: tag.Get("label"),
			Stored: plain(now.Field(i).Interface()), Yours: plain(yours.Field(i).Interface()),
		})
	}
	return changes
}

// plain is a value as a form shows it.
func plain(value any) string {
	switch v := value.(type) {
	case bool:
		if v {
			return "Yes"
		}
		return "No"
	case int64:
		if v == 0 {
			return ""
		}
		return fmt.Sprintf("#%d", v)
	default:
		return fmt.Sprint(v)
	}
}
