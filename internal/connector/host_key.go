package connector

import (
	"context"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/problem"
)

// ConfirmHostKey says that the host key which an SSH server offers is its own: from now on that one is
// expected, and any other refused. Fingerprint is the one that the person has seen and compared.
func (s *Service) ConfirmHostKey(ctx context.Context, id int64, fingerprint string) (stored Connector, err error) {
	err = s.changing(ctx, func(tx pgx.Tx) (Connector, error) {
		found, err := lockOne(ctx, tx, id)
		if err != nil {
			return Connector{}, err
		}
		if err := found.mayConfirm(fingerprint); err != nil {
			return Connector{}, err
		}
		if stored, err = confirmKey(ctx, tx, id, audit.ActorFrom(ctx).Name); err != nil {
			return Connector{}, err
		}
		return stored, record(ctx, tx, "host_key_confirmed", stored, audit.Changes(found.Settings, stored.Settings))
	})
	return stored, err
}

// mayConfirm says why a fingerprint is not the one to confirm.
func (c Connector) mayConfirm(fingerprint string) error {
	switch {
	case c.Kind != KindSSH:
		return problem.Refuse("%s is no SSH server and has no host key to confirm.", c.Name)
	case c.OfferedFingerprint == "" && c.Fingerprint == normalFingerprint(fingerprint) && fingerprint != "":
		return problem.Refuse("The host key of %s is confirmed already.", c.Name)
	case c.OfferedFingerprint == "":
		return problem.Refuse("Orbit has not seen the host key of %s yet: test the connector first.", c.Name)
	case c.OfferedFingerprint != normalFingerprint(fingerprint):
		return problem.Refuse("%s shows another host key by now: %s. Compare that one.", c.Name, c.OfferedFingerprint)
	}
	return nil
}
