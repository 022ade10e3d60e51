package inbox

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/semaphore"

	"orbit/internal/account"
	"orbit/internal/mail/reply"
	"orbit/internal/mail/reply/parts"
	"orbit/internal/setting"
)

// Options are the parts that a Service works with. Pool, Accounts and Settings are required.
type Options struct {
	Pool     *pgxpool.Pool
	Accounts *account.Service
	Settings *setting.Service
	Log      *slog.Logger
	Clock    func() time.Time // time.Now
	Handlers []Handler        // asked in this order
	// Sent says what the message with that Message-ID was ("smtp_test/12"), "" when Orbit did not send it.
	Sent func(ctx context.Context, messageID string) (string, error)
	// Token finds what Orbit has put into the references of its mails; see reply.Options.
	Token func(text string) string
}

// Service is what one can do with received mail. Several processes may each have one.
type Service struct {
	pool     *pgxpool.Pool
	accounts *account.Service
	settings *setting.Service
	log      *slog.Logger
	now      func() time.Time
	handlers []Handler

	whatWasSent func(context.Context, string) (string, error)
	token       func(text string) string
	times       times
	opening     *semaphore.Weighted // connections that are being opened
	storing     *semaphore.Weighted // transactions that store mail
	memory      *semaphore.Weighted // bytes of mail that is under way
	rooms       rooms
	senders     sendersMemo
	counts      counts
	present     present
	answering   running
	watched     watched
	accountsNew signal // accounts changed
	checksAsked signal // somebody asks for a check
	answered    signal // somebody answered
	loopsAsked  signal // a loop test is due
}

// Bounds on what visits do at a time. Sign-ins wait for other machines, so many may; transactions take connections
// from the pages.
const (
	maxOpening = 128
	maxStoring = 4
)

// New returns a Service. Nothing is watched before Run.
func New(o Options) (*Service, error) {
	if o.Pool == nil || o.Accounts == nil || o.Settings == nil {
		return nil, errors.New("the inbox needs a pool, accounts and settings")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Service{
		pool: o.Pool, accounts: o.Accounts, settings: o.Settings, log: o.Log, now: o.Clock, handlers: o.Handlers,
		whatWasSent: o.Sent, token: o.Token, times: defaultTimes(), watched: newWatched(), answering: running{ids: map[int64]bool{}}, counts: newCounts(),
		opening: semaphore.NewWeighted(maxOpening), storing: semaphore.NewWeighted(maxStoring), memory: semaphore.NewWeighted(maxMemory),
		accountsNew: newSignal(), checksAsked: newSignal(), answered: newSignal(), loopsAsked: newSignal(),
	}, nil
}

// List returns a page of received messages, newest first, and the cursor of the next page; "" is the end. A page of a
// search may have few rows, or none, and a next one all the same: it looks through so many messages and no more.
func (s *Service) List(ctx context.Context, f Filter) ([]Row, string, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	wanted := f.Limit
	f.Limit++ // one more tells whether there is a next page
	rows, err := selectMessages(ctx, s.pool, f)
	switch {
	case err != nil:
		return nil, "", err
	case len(rows) > wanted:
		return rows[:wanted], cursorAfter(rows[wanted-1]), nil
	case !f.searches():
		return rows, "", nil
	}
	reached, err := selectReached(ctx, s.pool, f)
	if err != nil || len(reached) == 0 {
		return rows, "", err
	}
	return rows, cursorAfter(reached[0]), nil
}

// Find returns a received message with all that its page shows, or problem.ErrNotFound.
func (s *Service) Find(ctx context.Context, id int64) (Message, error) {
	row, err := selectMessage(ctx, s.pool, id)
	if err != nil {
		return Message{}, err
	}
	found := Message{Row: row}
	if found.Header, err = s.header(ctx, id); err != nil {
		return Message{}, err
	}
	found.Read, err = reply.Read(s.raw(ctx, id), reply.Options{})
	found.Read.Class, found.Read.Automatic = row.Class, row.Automatic // judged when it came, by what was known then
	return found, err
}

// header returns the fields of the header, decoded.
func (s *Service) header(ctx context.Context, id int64) ([]HeaderField, error) {
	first, err := selectRaw(ctx, s.pool, id, 0)
	if err != nil {
		return nil, err
	}
	parsed, _ := parts.ParseHeader(string(first))
	fields := make([]HeaderField, len(parsed))
	for i, field := range parsed {
		fields[i] = HeaderField{Name: field.Name, Value: parts.DecodeWords(field.Value)}
	}
	return fields, nil
}

// Raw writes a message as the server sent it.
func (s *Service) Raw(ctx context.Context, id int64, w io.Writer) error {
	if _, err := selectMessage(ctx, s.pool, id); err != nil {
		return err
	}
	_, err := io.Copy(w, s.raw(ctx, id))
	return err
}

// Part writes the decoded body of the part that an attachment's Part names.
func (s *Service) Part(ctx context.Context, id int64, n int, w io.Writer) error {
	if _, err := selectMessage(ctx, s.pool, id); err != nil {
		return err
	}
	return reply.CopyPart(w, s.raw(ctx, id), n, reply.Limits{})
}

// raw reads the stored bytes of a message, a piece at a time.
func (s *Service) raw(ctx context.Context, id int64) io.Reader {
	return &rawReader{next: func(n int) ([]byte, error) { return selectRaw(ctx, s.pool, id, n) }}
}

// rawReader reads pieces one after the other; an empty one is the end.
type rawReader struct {
	next  func(n int) ([]byte, error)
	n     int
	piece []byte
}

func (r *rawReader) Read(p []byte) (int, error) {
	if len(r.piece) == 0 {
		piece, err := r.next(r.n)
		if err != nil {
			return 0, err
		}
		if len(piece) == 0 {
			return 0, io.EOF
		}
		r.piece = piece
		r.n++
	}
	n := copy(p, r.piece)
	r.piece = r.piece[n:]
	return n, nil
}
