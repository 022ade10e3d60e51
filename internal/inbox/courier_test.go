package inbox

import (
	"testing"

	"orbit/internal/account"
	"orbit/internal/mail/fetch"
	"orbit/internal/mail/mailtest"
)

// A second opinion: a server that nobody who wrote Dovecot has seen.
func TestMailIsReadFromCourier(t *testing.T) {
	t.Parallel()
	for name, keep := range map[string]bool{"kept": true, "deleted": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			courier := mailtest.Courier(t)
			r := newRig(t)
			m := r.mailbox(fetch.IMAP, func(c *account.MailboxChange) {
				c.AutomaticCheck, c.KeepCopyOnServer, c.Port = false, keep, courier.Port
				c.UseSecureConnection, c.SecureConnectionType = false, ""
			})
			courier.Deliver(t, "1", letterOf("one"))
			courier.Deliver(t, "2", letterOf("two"))
			v := r.check(r.process, m.ID)
			r.want("stored", v.Stored, 2)
			r.want("deleted", v.Deleted == 2, !keep)
			courier.Deliver(t, "3", letterOf("three"))
			v = r.check(r.process, m.ID)
			r.want("found and stored", [2]int{v.Found, v.Stored}, [2]int{1, 1})
			r.want("rows", r.number("select count(*) from inbound_message"), 3)
			_, err := r.accounts.SaveMailbox(r.ctx, m.ID, automatic(m))
			r.must(err)
			r.run(r.process)
			r.awaitState(m.ID, Watching)
			courier.Deliver(t, "4", letterOf("four"))
			r.check(r.process, m.ID) // in IDLE, where Courier looks once a minute by itself
			r.want("rows", r.number("select count(*) from inbound_message"), 4)
		})
	}
}

func automatic(m account.Mailbox) account.MailboxChange {
	c := account.MailboxChange{MailboxSettings: m.MailboxSettings}
	c.AutomaticCheck = true
	return c
}
