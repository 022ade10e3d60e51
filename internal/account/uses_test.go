package account

import (
	"errors"
	"testing"

	"orbit/internal/problem"
)

func TestAnAccountThatIsNamedElsewhereIsNotDeleted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("Relay"))
	h.exec(`insert into notification_rule (name, smtp_account_id) values ('Alarms', 1)`)
	err := h.DeleteSMTP(h.ctx, a.ID)
	var refused *problem.Refused
	if !errors.As(err, &refused) || refused.Text != "Relay is used by rule Alarms. Choose another account there first, or end the loop test." {
		t.Fatalf("while a rule names it: %v", err)
	}
	h.exec(`delete from notification_rule`)
	h.exec(`insert into mailbox_account (account_name, address, port, protocol) values ('Inbox', '127.0.0.1', 143, 'imap')`)
	h.exec(`insert into loop_schedule (mailbox_account_id, smtp_account_id, every_minutes, next_at) values (1, 1, 60, now())`)
	if err = h.DeleteSMTP(h.ctx, a.ID); !errors.As(err, &refused) || refused.Text != "Relay is used by loop test of Inbox. Choose another account there first, or end the loop test." {
		t.Fatalf("while a loop test repeats through it: %v", err)
	}
	h.exec(`delete from loop_schedule`)
	if err := h.DeleteSMTP(h.ctx, a.ID); err != nil {
		t.Errorf("unused: %v", err)
	}
}
