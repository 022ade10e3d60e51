package notify

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"golang.org/x/sync/errgroup"

	"orbit/internal/account"
	"orbit/internal/setting"
	"orbit/internal/vault"
)

// Options are the parts that a Service works with. Pool, Accounts, Settings and Box are required.
type Options struct {
	Pool     *pgxpool.Pool
	Accounts *account.Service
	Settings *setting.Service
	Box      *vault.Box
	BaseURL  *url.URL // of the pages, for links
	// Client makes a client for webhooks that keeps to the network rules; nil: webhooks are refused.
	Client func(ctx context.Context, useConnector bool, connectorID int64) (*http.Client, error)
	// Unreachable hears of an address that a server refuses for good, and of the access request that the message was
	// about; nil: nobody asks for approvals.
	Unreachable func(ctx context.Context, tx pgx.Tx, requestID int64, address, why string) error

	Log     *slog.Logger
	Version string
	Process string // a UUID, when the process has one already
}

// Service is what one can do with notifications.
type Service struct {
	pool     *pgxpool.Pool
	accounts *account.Service
	settings *setting.Service
	box      *vault.Box
	baseURL  *url.URL
	client   func(ctx context.Context, useConnector bool, connectorID int64) (*http.Client, error)
	log      *slog.Logger
	version  string
	process  string
	jobs     *river.Client[pgx.Tx]

	unreachable func(ctx context.Context, tx pgx.Tx, requestID int64, address, why string) error

	gather    gatherer
	recorder  recorder
	directory directory
	routes    routing
	lanes     lanes
	slots     slots
	hands     sync.Map // the ids of messages that this process has taken
	pulse     pulse
	wake      signal
	counts    counts
}

// New returns a Service. Events can be posted at once; Run delivers them.
func New(o Options) (*Service, error) {
	if o.Pool == nil || o.Accounts == nil || o.Settings == nil || o.Box == nil {
		return nil, errors.New("notifications need a pool, accounts, settings and a box")
	}
	s := &Service{
		pool: o.Pool, accounts: o.Accounts, settings: o.Settings, box: o.Box, baseURL: o.BaseURL, client: o.Client,
		log: o.Log, version: o.Version, process: cmp.Or(o.Process, newProcess()), wake: newSignal(),
		unreachable: o.Unreachable,
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.baseURL == nil {
		s.baseURL = &url.URL{Scheme: "http", Host: "localhost"}
	}
	s.gather = gatherer{queue: make(chan *posting, maxPosting), busy: make(chan struct{}, gatherers)}
	s.recorder = recorder{queue: make(chan record, maxRecords), ended: make(chan struct{})}
	s.lanes.by = map[int64]*lane{}
	jobs, err := s.newJobs()
	if err != nil {
		return nil, fmt.Errorf("set up the job queue: %w", err)
	}
	s.jobs = jobs
	return s, nil
}

// newProcess makes a UUID for this process.
func newProcess() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Run delivers until ctx ends. Then messages that a server is taking are finished, for as long as drainTime
// allows; all others stay in the queue.
func (s *Service) Run(ctx context.Context) error {
	if err := s.beat(ctx); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "tell that this process lives", "error", err)
	}
	recording, endRecording := context.WithCancel(context.WithoutCancel(ctx))
	defer endRecording()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(drainTime, endRecording) })()
	group, ctx := errgroup.WithContext(ctx)
	stopped := make(chan struct{}) // the senders have ended
	group.Go(func() error { s.keepRecording(recording); return nil })
	group.Go(func() error { s.keepBeating(ctx, stopped); return nil })
	group.Go(func() error { s.sweepOften(ctx); return nil })
	group.Go(func() error { return s.runJobs(ctx) })
	group.Go(func() error {
		defer endRecording()
		defer close(stopped)
		s.dispatch(ctx)
		return nil
	})
	err := group.Wait()
	s.leave(ctx)
	return err
}

// signal wakes one goroutine. Raised while that one is busy it wakes it once more, however often.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) raise() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// pause waits, or for less when one of the two happens.
func pause(ctx context.Context, wake signal, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}
