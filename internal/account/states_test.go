package account

import (
	"regexp"
	"slices"
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/fetch"
)

// The words of the code are those that the tables allow.
func TestStatesOfTestsAreThoseOfTheTables(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	quoted := regexp.MustCompile(`'([a-z0-9_]*)'::text`)
	for constraint, want := range map[string][]string{
		"smtp_test_state":                        {string(TestRunning), string(TestDelivered), string(TestFailed)},
		"mailbox_test_state":                     {string(TestRunning), string(TestOpened), string(TestFailed)},
		"mailbox_test_protocol":                  {string(fetch.IMAP), string(fetch.POP3)},
		"mailbox_account_protocol":               {string(fetch.IMAP), string(fetch.POP3)},
		"mailbox_account_authentication_type":    {string(Password), string(OAuth2)},
		"mailbox_account_secure_connection_type": {string(dial.Plain), string(dial.STARTTLS), string(dial.Implicit)},
		"mailbox_account_certificate_rule":       {string(dial.Verify), string(dial.Pin), string(dial.CustomCA)},
	} {
		var definition string
		if err := h.pool.QueryRow(h.ctx, "select pg_get_constraintdef(oid) from pg_constraint where conname = $1", constraint).Scan(&definition); err != nil {
			t.Fatalf("%s: %v", constraint, err)
		}
		var got []string
		for _, m := range quoted.FindAllStringSubmatch(definition, -1) {
			got = append(got, m[1])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: the table has %v, the code %v", constraint, got, want)
		}
	}
}
