package proxyhost

import (
	"fmt"
	"reflect"
	"strings"

	"orbit/internal/problem"
)

// conflict shows where the stored listener differs from what was typed.
func conflict(stored Listener, typed Settings) error {
	c := &problem.Conflict{What: "listener " + stored.Name, Who: stored.ChangedBy}
	if c.Who == "" {
		c.Who = "somebody else"
	}
	is, yours := reflect.ValueOf(stored.Settings), reflect.ValueOf(typed)
	for i := range is.NumField() {
		if is.Field(i).Equal(yours.Field(i)) {
			continue
		}
		tag := is.Type().Field(i).Tag
		name, _, _ := strings.Cut(tag.Get("form"), ",")
		c.Changed = append(c.Changed, problem.Change{
			Field: name, Label: tag.Get("label"),
			Stored: fmt.Sprint(is.Field(i)), Yours: fmt.Sprint(yours.Field(i)),
		})
	}
	return c
}
