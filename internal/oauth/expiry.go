package oauth

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
)

// thresholds are the days before the end at which somebody is warned, once each.
var thresholds = []int{60, 30, 14, 7, 1}

// Expiring is a client secret or certificate in use that ends soon, or has ended.
type Expiring struct {
	RegistrationID int64
	Pattern        string
	ClientID       string
	Kind           SecretKind
	ExpiresAt      time.Time
	Days           int // whole days that are left; negative: so many days ago
	Threshold      int // the smallest of 60, 30, 14, 7 and 1 that has been reached
}

// Text says it in a sentence.
func (e Expiring) Text() string {
	what := map[SecretKind]string{SharedSecret: "client secret", ClientCertificate: "client certificate", AccountKey: "service account key"}[e.Kind]
	when := e.ExpiresAt.UTC().Format(time.DateOnly)
	switch {
	case e.Days < 0:
		return fmt.Sprintf("The %s of registration %s (client %s) expired on %s. Add a new one and switch to it.", what, e.Pattern, e.ClientID, when)
	case e.Days == 0:
		return fmt.Sprintf("The %s of registration %s (client %s) expires within a day, on %s. Add a new one, prove it and switch to it.", what, e.Pattern, e.ClientID, when)
	case e.Days == 1:
		return fmt.Sprintf("The %s of registration %s (client %s) expires in 1 day, on %s. Add a new one, prove it and switch to it.", what, e.Pattern, e.ClientID, when)
	}
	return fmt.Sprintf("The %s of registration %s (client %s) expires in %d days, on %s. Add a new one, prove it and switch to it.", what, e.Pattern, e.ClientID, e.Days, when)
}

// Expiring lists what ends within 60 days of now, the first to end first.
func (s *Service) Expiring(ctx context.Context, now time.Time) ([]Expiring, error) {
	rows, err := expiringSecrets(ctx, s.pool, until(now))
	if err != nil {
		return nil, err
	}
	all := make([]Expiring, len(rows))
	for i, row := range rows {
		all[i] = row.at(now)
	}
	return all, nil
}

func until(now time.Time) time.Time { return now.AddDate(0, 0, thresholds[0]) }

func (r expiringRow) at(now time.Time) Expiring {
	left := r.ExpiresAt.Sub(now)
	days := int(left / (24 * time.Hour))
	if left < 0 {
		days--
	}
	return Expiring{
		RegistrationID: r.RegistrationID, Pattern: r.Pattern, ClientID: r.ClientID, Kind: r.Kind,
		ExpiresAt: r.ExpiresAt, Days: days, Threshold: reached(left),
	}
}

// reached is the smallest threshold within which the end lies.
func reached(left time.Duration) int {
	smallest := thresholds[0]
	for _, t := range thresholds {
		if left <= time.Duration(t)*24*time.Hour {
			smallest = t
		}
	}
	return smallest
}

// warnExpiring announces every threshold that was newly passed, one transaction for each secret.
func (s *Service) warnExpiring(ctx context.Context) error {
	if s.expiring == nil {
		return nil
	}
	now := s.now()
	rows, err := expiringSecrets(ctx, s.pool, until(now))
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.announced(now) {
			continue
		}
		if err := s.announce(ctx, row.ID, now); err != nil {
			return wrapf(err, "announce that the secret of %s ends", row.Pattern)
		}
	}
	return nil
}

func (r expiringRow) announced(now time.Time) bool {
	return r.WarnedDays != nil && *r.WarnedDays <= r.at(now).Threshold
}

// announce raises the event in the transaction that remembers it. Another process may have been faster.
func (s *Service) announce(ctx context.Context, id int64, now time.Time) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := lockExpiring(ctx, tx, id, until(now))
		if err != nil || len(rows) == 0 || rows[0].announced(now) {
			return err
		}
		e := rows[0].at(now)
		if err := setWarned(ctx, tx, id, e.Threshold); err != nil {
			return err
		}
		return s.expiring(ctx, tx, e)
	})
}
