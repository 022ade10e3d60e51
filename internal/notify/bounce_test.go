package notify

import (
	"context"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5"
)

// A server that says at once that there is no such address saves it the bounce.
func TestAnAddressThatIsRefusedAtOnceIsMarked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	server := newServer(t, nil)
	server.unknown = map[string]error{
		"gone@example.net":  &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "User unknown"},
		"plain@example.net": &smtp.SMTPError{Code: 550, EnhancedCode: smtp.NoEnhancedCode, Message: "no such user here"},
		"full@example.net":  &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 2, 2}, Message: "Mailbox full"},
		"relay@example.net": &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Relaying denied"},
	}
	r.account("info", server.port, asDefault)
	r.rule("A", "password.viewed", nil, r.contact("gone"), r.contact("plain"), r.contact("full"), r.contact("relay"))
	r.rule("B", "orbit.address_bounced", nil, r.contact("admin"))
	run(t, r.Service)
	r.post(viewed("x"))
	r.until("all are refused", func() bool { return r.count("select count(*) from delivery where state = 'failed'") == 4 })
	r.until("two are told of", func() bool { return len(server.all()) == 2 })
	marked := scan[[]string](r, "select array_agg(name || ': ' || bounce_text order by name) from contact where bounced_at is not null")
	if len(marked) != 2 || !strings.HasPrefix(marked[0], "gone: Refused: 550 5.1.1 ") || !strings.HasPrefix(marked[1], "plain: Refused: 550 no such user") {
		t.Errorf("%q", marked)
	}
	r.post(viewed("x"))
	if n := r.count("select count(*) from delivery where recipient in ('gone@example.net', 'plain@example.net')"); n != 2 {
		t.Errorf("%d messages to addresses that do not exist", n)
	}
}

func TestARequestHearsOfAnApproverWhoIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	heard := make(chan int64, 1)
	r.unreachable = func(_ context.Context, _ pgx.Tx, request int64, address, why string) error {
		if address != "gone@example.net" || !strings.Contains(why, "no such user") {
			t.Errorf("%s: %s", address, why)
		}
		heard <- request
		return nil
	}
	server := newServer(t, nil)
	server.unknown = map[string]error{"gone@example.net": no(550, "no such user")}
	r.account("info", server.port, asDefault)
	run(t, r.Service)
	r.must(pgx.BeginFunc(r.ctx, r.pool, func(tx pgx.Tx) error {
		_, err := r.SendTx(r.ctx, tx, Message{To: "gone@example.net", TextType: "access_request.created.approver", AccessRequestID: 7, Priority: Urgent})
		return err
	}))
	if request := <-heard; request != 7 {
		t.Errorf("request %d", request)
	}
}
