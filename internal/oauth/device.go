package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/oauth/endpoint"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// DeviceRequest is what a person is asked to do on any device.
type DeviceRequest struct {
	UserCode    string
	URI         string
	URIComplete string // with the code in it; empty: not offered
	ExpiresAt   time.Time
}

// StartDevice begins the device flow for an address, or returns the one that waits already.
func (s *Service) StartDevice(ctx context.Context, address string) (DeviceRequest, error) {
	g, r, err := s.interactive(ctx, address, DeviceCode)
	if err != nil {
		return DeviceRequest{}, err
	}
	waiting, err := pendingDevice(ctx, s.pool, g.ID, s.now())
	if err == nil {
		return waiting.request(), nil
	}
	if !errors.Is(err, problem.ErrNotFound) {
		return DeviceRequest{}, err
	}
	a, err := s.askerFor(ctx, r, r.ActiveSlot)
	if err != nil {
		return DeviceRequest{}, err
	}
	given, err := endpoint.StartDevice(ctx, a.http, r.DeviceURL, r.TokenURL, a.client, withIdentity(r.Settings))
	if err != nil {
		return DeviceRequest{}, &ladder.Error{Step: ladder.Token, Fault: judge(err, r, g.Address, "").fault, Err: err}
	}
	return s.storeDevice(ctx, g, r, given)
}

// storeDevice keeps a device flow for whichever process polls it. When another began one at the same
// moment, that one counts.
func (s *Service) storeDevice(ctx context.Context, g held, r Registration, given endpoint.Device) (DeviceRequest, error) {
	now := s.now()
	d := device{
		GrantID: g.ID, RegistrationID: r.ID, UserCode: given.UserCode, URI: given.URI, URIComplete: given.URIComplete,
		IntervalSeconds: int(given.Interval.Seconds()), StartedBy: audit.ActorFrom(ctx).Name, ExpiresAt: now.Add(given.Lifetime),
	}
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if d.ID, err = nextID(ctx, tx, "oauth_device"); err != nil {
			return err
		}
		if d.SealedCode, err = s.box.Seal(given.Code, devicePlace(d.ID, r.Settings)); err != nil {
			return err
		}
		if err := endExpiredDevices(ctx, tx, g.ID, now); err != nil {
			return err
		}
		if err := insertDevice(ctx, tx, d, now.Add(given.Interval)); err != nil {
			return err
		}
		return s.recordGrant(ctx, tx, "device_started", g.Grant, map[string]any{"registration": r.Pattern})
	})
	if postgres.Constraint(err) == "oauth_device_one_pending" {
		d, err = pendingDevice(ctx, s.pool, g.ID, now)
	}
	if err != nil {
		return DeviceRequest{}, err
	}
	s.wakeUp()
	return d.request(), nil
}

func (d device) request() DeviceRequest {
	return DeviceRequest{UserCode: d.UserCode, URI: d.URI, URIComplete: d.URIComplete, ExpiresAt: d.ExpiresAt}
}

// DeviceState tells what became of the last device flow of an address: still waiting, or its outcome.
func (s *Service) DeviceState(ctx context.Context, address string) (DeviceRequest, *Outcome, error) {
	g, err := findGrant(ctx, s.pool, Normal(address))
	if err != nil {
		return DeviceRequest{}, nil, err
	}
	d, err := lastDevice(ctx, s.pool, g.ID)
	return d.request(), d.Outcome, err
}

// pollDevices polls every device flow whose turn it is and returns when the next one has its turn.
func (s *Service) pollDevices(ctx context.Context) (time.Time, error) {
	for {
		d, err := claimPoll(ctx, s.pool, s.now(), endpoint.Timeout+storeTime)
		if errors.Is(err, problem.ErrNotFound) {
			return nextPollAt(ctx, s.pool)
		}
		if err != nil {
			return time.Time{}, err
		}
		if err := s.poll(ctx, d); err != nil {
			return time.Time{}, err
		}
	}
}

// poll asks once whether the person has finished.
func (s *Service) poll(ctx context.Context, d device) error {
	if err := s.work.begin(); err != nil {
		return nil //nolint:nilerr // stopping: another process polls on
	}
	defer s.work.end()
	ctx, cancel := detached(ctx, settleTime)
	defer cancel()
	g, r, err := s.tripParties(ctx, trip{GrantID: d.GrantID, RegistrationID: d.RegistrationID})
	if err != nil {
		return err
	}
	if !s.now().Before(d.ExpiresAt) {
		return s.endDevice(ctx, d, s.refused(ctx, g, expiredDevice(r, g.Address)))
	}
	tokens, err := s.askDevice(ctx, d, r)
	var refused *endpoint.Error
	switch {
	case err == nil:
		return s.endDevice(ctx, d, s.settle(ctx, g, r, tokens, d.StartedBy))
	case errors.As(err, &refused) && refused.Code == "authorization_pending":
		return s.pollLater(ctx, d, 0, 0)
	case errors.As(err, &refused) && refused.Code == "slow_down": // RFC 8628 3.5
		return s.pollLater(ctx, d, 5, refused.RetryAfter)
	case errors.As(err, &refused) && refused.Temporary():
		return s.pollLater(ctx, d, d.IntervalSeconds, refused.RetryAfter)
	}
	return s.endDevice(ctx, d, s.failed(ctx, g, r, "", err))
}

func (s *Service) askDevice(ctx context.Context, d device, r Registration) (endpoint.Tokens, error) {
	a, err := s.askerFor(ctx, r, r.ActiveSlot)
	if err != nil {
		return endpoint.Tokens{}, err
	}
	code, err := s.box.Open(d.SealedCode, devicePlace(d.ID, r.Settings))
	if err != nil {
		return endpoint.Tokens{}, err
	}
	return s.obtain(ctx, a, endpoint.DeviceCode(code))
}

const longestInterval = 60 // seconds; waiting longer would let the code expire unnoticed

func (s *Service) pollLater(ctx context.Context, d device, slower int, asked time.Duration) error {
	interval := min(d.IntervalSeconds+slower, longestInterval)
	wait := max(time.Duration(interval)*time.Second, asked)
	return setNextPoll(ctx, s.pool, d.ID, interval, s.now().Add(wait))
}

func (s *Service) endDevice(ctx context.Context, d device, o Outcome) error {
	return endDevice(ctx, s.pool, d.ID, s.now(), &o)
}

func expiredDevice(r Registration, address string) ladder.Fault {
	return explain.OAuth("expired_token", "The device code has expired.", explainContext(r, address, ""))
}
