package inbox

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"orbit/internal/account"
)

const (
	listenAgain = time.Second      // after the connection broke
	listenCheck = 30 * time.Second // without a word from the server it is asked whether it is there
	closeTime   = 2 * time.Second
)

// listen hears what other processes do, on a connection of its own, and connects again when that breaks.
// Meanwhile looking from time to time has to do.
func (s *Service) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.hear(ctx)
		if ctx.Err() == nil {
			s.log.WarnContext(ctx, "listen to the database for mailboxes", "error", err)
		}
		pause(ctx, listenAgain)
	}
}

// hear listens until the connection breaks.
func (s *Service) hear(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	for _, channel := range []string{account.MailboxChannel, checkChannel, checkedChannel, loopChannel} {
		if _, err := conn.Exec(ctx, "listen "+channel); err != nil {
			return err
		}
		s.react(channel) // to what was said before
	}
	for {
		said, err := await(ctx, conn)
		if err != nil {
			return err
		}
		if said != nil {
			s.react(said.Channel)
		}
	}
}

func (s *Service) react(channel string) {
	switch channel {
	case account.MailboxChannel:
		s.accountsNew.raise()
	case checkChannel:
		s.checksAsked.raise()
	case checkedChannel:
		s.answered.raise()
	case loopChannel:
		s.loopsAsked.raise()
	}
}

// await returns the next notification, or nothing when it was quiet for a while and the server still answers:
// a connection that broke without a sign would be quiet for ever.
func await(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	quiet, cancel := context.WithTimeout(ctx, listenCheck)
	defer cancel()
	said, err := conn.WaitForNotification(quiet)
	if err == nil || quiet.Err() == nil || ctx.Err() != nil {
		return said, err
	}
	answer, cancel := context.WithTimeout(ctx, listenCheck)
	defer cancel()
	return nil, conn.Ping(answer)
}

func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	_ = conn.Close(ctx) // the server notices either way
}
