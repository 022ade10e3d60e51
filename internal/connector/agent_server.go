package connector

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/tunnel"
	"orbit/internal/vault"
)

// shared is what the processes of one Orbit have in common towards agents and each other.
type shared struct {
	certificate tls.Certificate
	peerKey     vault.Secret
}

// serverRow is the one row of connector_server.
type serverRow struct {
	Certificate   []byte
	Fingerprint   string
	KeySealed     []byte
	PeerKeySealed []byte
}

var (
	serverKeyPlace = vault.Binding{Table: "connector_server", Row: 1, Destination: "certificate"}
	peerKeyPlace   = vault.Binding{Table: "connector_server", Row: 1, Destination: "peers"}
)

// server reads certificate and keys; whoever comes first makes them.
func (a *Agents) server(ctx context.Context) (shared, error) {
	row, found, err := selectServer(ctx, a.pool)
	if err == nil && !found {
		row, err = a.makeServer(ctx)
	}
	if err != nil {
		return shared{}, err
	}
	key, err := a.box.Open(row.KeySealed, serverKeyPlace)
	if err != nil {
		return shared{}, fmt.Errorf("open the key of the network connector's certificate: %w", err)
	}
	s := shared{}
	if s.certificate, err = tunnel.LoadCertificate(row.Certificate, []byte(key.Reveal())); err != nil {
		return shared{}, err
	}
	if s.peerKey, err = a.box.Open(row.PeerKeySealed, peerKeyPlace); err != nil {
		return shared{}, fmt.Errorf("open the key of the processes: %w", err)
	}
	return s, nil
}

func (a *Agents) makeServer(ctx context.Context) (row serverRow, err error) {
	var key []byte
	if row.Certificate, key, err = tunnel.NewCertificate(); err != nil {
		return serverRow{}, err
	}
	row.Fingerprint = tunnel.Fingerprint(row.Certificate)
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	if row.KeySealed, err = a.box.Seal(vault.NewSecret(string(key)), serverKeyPlace); err != nil {
		return serverRow{}, err
	}
	if row.PeerKeySealed, err = a.box.Seal(vault.NewSecret(base64.StdEncoding.EncodeToString(random)), peerKeyPlace); err != nil {
		return serverRow{}, err
	}
	err = postgres.InTx(ctx, a.pool, func(tx pgx.Tx) error {
		made, err := insertServer(ctx, tx, row, audit.ActorFrom(ctx).Name)
		if err != nil {
			return err
		}
		if !made { // another process was faster; its certificate counts
			var found bool
			if row, found, err = selectServer(ctx, tx); err != nil || !found {
				return errors.Join(err, errors.New("the network connector's certificate is gone again"))
			}
			return nil
		}
		return audit.Record(ctx, tx, audit.Entry{
			Action: "connector_server.created", Object: "connector_server", ObjectID: 1, ObjectName: "network connector",
			Detail: map[string]any{"fingerprint": row.Fingerprint},
		})
	})
	return row, err
}

// Fingerprint is that of the certificate that agents expect. It makes the certificate when there is none.
func (a *Agents) Fingerprint(ctx context.Context) (string, error) {
	broker, err := a.use(ctx)
	if err != nil {
		return "", fmt.Errorf("determine the fingerprint: %w", err)
	}
	return broker.Fingerprint(), nil
}

// Reseal seals the stored keys with the present key of the box and returns how many there were.
func (a *Agents) Reseal(ctx context.Context) (n int, err error) {
	err = postgres.InTx(ctx, a.pool, func(tx pgx.Tx) error {
		row, found, err := lockServer(ctx, tx)
		if err != nil || !found {
			return err
		}
		for _, s := range []struct {
			sealed *[]byte
			place  vault.Binding
		}{{&row.KeySealed, serverKeyPlace}, {&row.PeerKeySealed, peerKeyPlace}} {
			clear, err := a.box.Open(*s.sealed, s.place)
			if err != nil {
				return err
			}
			if *s.sealed, err = a.box.Seal(clear, s.place); err != nil {
				return err
			}
			n++
		}
		return updateServer(ctx, tx, row)
	})
	return n, err
}
