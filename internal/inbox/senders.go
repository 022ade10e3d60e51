package inbox

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"time"

	"orbit/internal/account"
)

// senders are the addresses that Orbit sends from: mail from them is its own echo, and ids of their domains may be
// those of its messages.
type senders struct {
	addresses, domains map[string]bool
}

func (s *senders) has(address string) bool { return s.addresses[strings.ToLower(address)] }

// notifyID is how the ids of notifications begin (crypto/rand.Text), whatever domain they were sent with.
var notifyID = regexp.MustCompile(`^[A-Z2-7]{26}@`)

// couldBe reports whether a Message-ID can be one of Orbit's, so that few messages cost a question.
func (s *senders) couldBe(id string) bool {
	return notifyID.MatchString(id) || s.domains[strings.ToLower(id[strings.LastIndexByte(id, '@')+1:])]
}

// sendersFresh is how long they are remembered: mailboxes are looked into often, SMTP accounts change rarely.
const sendersFresh = 5 * time.Second

type sendersMemo struct {
	mu    sync.Mutex
	known *senders
	read  time.Time
}

// ownAddresses returns the addresses of all SMTP accounts.
func (s *Service) ownAddresses(ctx context.Context) (*senders, error) {
	s.senders.mu.Lock()
	defer s.senders.mu.Unlock()
	if s.senders.known != nil && time.Since(s.senders.read) < sendersFresh {
		return s.senders.known, nil
	}
	rows, _, err := s.accounts.ListSMTP(ctx, account.SMTPFilter{})
	if err != nil {
		return nil, err
	}
	found := &senders{addresses: map[string]bool{}, domains: map[string]bool{}}
	for _, row := range rows {
		address := strings.ToLower(row.SenderEmail)
		found.addresses[address] = true
		found.domains[address[strings.LastIndexByte(address, '@')+1:]] = true
	}
	s.senders.known, s.senders.read = found, time.Now()
	return found, nil
}

// sent says what the message with that id was, "" when Orbit did not send it.
func (s *Service) sent(ctx context.Context, own *senders, id string) string {
	if s.whatWasSent == nil || !own.couldBe(id) {
		return ""
	}
	what, err := s.whatWasSent(ctx, id)
	if err != nil {
		s.log.WarnContext(ctx, "look for a sent message", "error", err)
		return ""
	}
	return what
}
