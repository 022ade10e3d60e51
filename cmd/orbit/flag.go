package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"orbit/internal/identity"
	"orbit/internal/problem"
)

// roleFlag is a flag that takes one of the roles. A word that is none is wrong usage, said before anything is opened.
type roleFlag identity.Role

func (f *roleFlag) String() string { return string(*f) }
func (f *roleFlag) Type() string   { return "role" }

// Set implements pflag.Value.
func (f *roleFlag) Set(text string) error {
	role := identity.Role(strings.ToLower(strings.TrimSpace(text)))
	if !role.Valid() {
		return fmt.Errorf("choose %s", roleNames())
	}
	*f = roleFlag(role)
	return nil
}

// roleNames lists the roles: "administrator, operator, auditor or member".
func roleNames() string {
	names := make([]string, 0, len(identity.Roles()))
	for _, role := range identity.Roles() {
		names = append(names, string(role))
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// misused makes wrong usage of values that a service has found wrong: they were arguments.
func misused(err error) error {
	var invalid problem.Invalid
	if errors.As(err, &invalid) {
		return &usageError{err.Error()}
	}
	return err
}

// countFlag is a flag that takes a whole number that is not negative.
type countFlag int

func (f *countFlag) String() string { return strconv.Itoa(int(*f)) }
func (f *countFlag) Type() string   { return "int" }

// Set implements pflag.Value.
func (f *countFlag) Set(text string) error {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 {
		return errors.New("give a whole number, 0 or more")
	}
	*f = countFlag(n)
	return nil
}
