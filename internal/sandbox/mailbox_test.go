package sandbox_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"orbit/internal/mail/sasl"
	"orbit/internal/sandbox"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/internal/vault"
)

func TestIMAPAndPOP3ShareOneMailbox(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	for range 4 {
		if err := s.Deliver(bea, []byte(mail)); err != nil {
			t.Fatal(err)
		}
	}
	arrived := make(chan uint32, 10)
	expunged := make(chan uint32, 10)
	client, err := imapclient.DialTLS(s.Address(s.Ports.IMAPS), &imapclient.Options{
		TLSConfig: sandboxtest.TLS(s),
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(data *imapclient.UnilateralDataMailbox) {
				if data.NumMessages != nil {
					arrived <- *data.NumMessages
				}
			},
			Expunge: func(n uint32) { expunged <- n },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	token := vault.NewSecret(s.Identity.AccessToken(bea))
	if err := client.Authenticate(sasl.NewXOAuth2(bea, token)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}

	// Move one to Trash, expunge another.
	moved, err := client.Move(imap.SeqSetNum(2), "Trash").Wait()
	if err != nil || moved.DestUIDs.(imap.UIDSet).String() != "1" {
		t.Fatalf("%+v, %v", moved, err)
	}
	deleted := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}
	if err := client.Store(imap.SeqSetNum(1), deleted, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if err := client.Expunge().Close(); err != nil {
		t.Fatal(err)
	}
	if got := inbox(t, s, bea); !slices.Equal(got, []string{"1 1-3", "2 1-4"}) {
		t.Errorf("POP3 lists %q", got)
	}
	if got := s.Mail.Messages(bea); len(got) != 3 {
		t.Errorf("%d mails are kept, want two in INBOX and one in Trash", len(got))
	}

	// IDLE hears of mail that arrives, and of mail that POP3 removes.
	for len(expunged) > 0 {
		<-expunged
	}
	idle, err := client.Idle()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Deliver(bea, []byte(mail)); err != nil {
		t.Fatal(err)
	}
	if n := receive(t, arrived); n != 3 {
		t.Errorf("IDLE says %d messages", n)
	}
	pop(t, s, bea, "DELE 1", "QUIT")
	if n := receive(t, expunged); n != 1 {
		t.Errorf("IDLE says %d is expunged", n)
	}
	if err := idle.Close(); err != nil {
		t.Fatal(err)
	}
	if err := idle.Wait(); err != nil {
		t.Fatal(err)
	}

	// APPEND is kept too.
	appending := client.Append("Sent", int64(len(mail)), nil)
	if _, err := appending.Write([]byte(mail)); err != nil {
		t.Fatal(err)
	}
	if err := appending.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := appending.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := s.Mail.Messages(bea); len(got) != 4 || got[0].Folder != "Sent" || string(got[0].Raw) != mail {
		t.Errorf("%d mails are kept, the last %+v", len(got), got[0])
	}
}

func receive(t *testing.T, from <-chan uint32) uint32 {
	t.Helper()
	select {
	case n := <-from:
		return n
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		return 0
	}
}

// pop signs in to POP3 with a token and says lines.
func pop(t *testing.T, s *sandbox.Sandbox, user string, lines ...string) string {
	t.Helper()
	client := sasl.NewXOAuth2(user, vault.NewSecret(s.Identity.AccessToken(user)))
	_, initial, _ := client.Start()
	return talk(t, s, s.Ports.POP3S, true, append([]string{"AUTH XOAUTH2 " + base64Of(initial)}, lines...)...)
}

// inbox is what UIDL lists.
func inbox(t *testing.T, s *sandbox.Sandbox, user string) []string {
	t.Helper()
	said := pop(t, s, user, "UIDL", "QUIT")
	_, list, _ := strings.Cut(said, "authenticated.\r\n+OK\r\n")
	list, _, _ = strings.Cut(list, "\r\n.\r\n")
	return strings.Split(list, "\r\n")
}

func TestPOP3(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandbox.Options{})
	for range 2 {
		if err := s.Deliver(bea, []byte(mail)); err != nil {
			t.Fatal(err)
		}
	}
	said := pop(t, s, bea, "STAT", "LIST", "LIST 2", "TOP 1 1", "RETR 1", "DELE 1", "RETR 1", "STAT", "RSET", "STAT", "DELE 2", "NOOP", "RETR 9", "TOP 1 x", "XYZ", "QUIT")
	size := len(mail)
	want := []string{
		"+OK 2 " + fmt.Sprint(2*size), "+OK", fmt.Sprintf("1 %d", size), fmt.Sprintf("2 %d", size), ".", fmt.Sprintf("+OK 2 %d", size),
		"+OK", "From: alerts@orbit.example", "To: bea@orbit.example", "Subject: Lamp seven", "", "It went out.", ".",
		fmt.Sprintf("+OK %d octets", size), "From: alerts@orbit.example", "To: bea@orbit.example", "Subject: Lamp seven", "", "It went out.", "..hidden dot", ".",
		"+OK", "-ERR The specified message is out of range.", fmt.Sprintf("+OK 1 %d", size), "+OK", "+OK 2 " + fmt.Sprint(2*size), "+OK", "+OK",
		"-ERR The specified message is out of range.", "-ERR Protocol error: TOP wants a number of lines.", "-ERR Command is not valid in this state.", "+OK Goodbye.", "",
	}
	_, got, _ := strings.Cut(said, "successfully authenticated.\r\n")
	if got != strings.Join(want, "\r\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\r\n"))
	}
	if left := inbox(t, s, bea); !slices.Equal(left, []string{"1 1-1"}) {
		t.Errorf("left %q", left)
	}
}

func base64Of(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
