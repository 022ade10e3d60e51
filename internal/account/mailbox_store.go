package account

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// mailboxColumns lists the columns of an IMAP/POP3 account; a blank reference is 0 in Go and null in the table.
const mailboxColumns = `
	id, account_name, keep_copy_on_server, automatic_check, active, address, port, protocol, authentication_type,
	coalesce(credential_id, 0) as credential_id, ignore_certificate, certificate_rule, certificate_fingerprint,
	certificate_ca, use_secure_connection, secure_connection_type, use_network_connector,
	coalesce(network_connector_id, 0) as network_connector_id, folder, authserv_id,
	created_at, created_by, changed_at, changed_by, version`

func findMailbox(ctx context.Context, q querier, id int64) (Mailbox, error) {
	return oneMailbox(q.Query(ctx, "select "+mailboxColumns+" from mailbox_account where id = @id", pgx.NamedArgs{"id": id}))
}

// lockMailbox reads the account and keeps others from changing it until the transaction ends.
func lockMailbox(ctx context.Context, tx pgx.Tx, id int64) (Mailbox, error) {
	return oneMailbox(tx.Query(ctx, "select "+mailboxColumns+" from mailbox_account where id = @id for update", pgx.NamedArgs{"id": id}))
}

func findMailboxByName(ctx context.Context, q querier, name string) (Mailbox, error) {
	return oneMailbox(q.Query(ctx, "select "+mailboxColumns+" from mailbox_account where lower(account_name) = lower(@name)", pgx.NamedArgs{"name": name}))
}

func oneMailbox(rows pgx.Rows, err error) (Mailbox, error) {
	if err != nil {
		return Mailbox{}, fmt.Errorf("read IMAP/POP3 account: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Mailbox])
	if errors.Is(err, pgx.ErrNoRows) {
		return Mailbox{}, problem.ErrNotFound
	}
	if err != nil {
		return Mailbox{}, fmt.Errorf("read IMAP/POP3 account: %w", err)
	}
	return found, nil
}

// activeMailboxes are those that may be read, oldest first.
func activeMailboxes(ctx context.Context, pool *pgxpool.Pool) ([]Mailbox, error) {
	rows, err := pool.Query(ctx, "select "+mailboxColumns+" from mailbox_account where active order by id")
	if err != nil {
		return nil, fmt.Errorf("list active IMAP/POP3 accounts: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Mailbox])
}

// mailboxArgs names every setting for insert and update.
func mailboxArgs(m MailboxSettings, by string) pgx.NamedArgs {
	return pgx.NamedArgs{
		"account_name": m.AccountName, "keep_copy_on_server": m.KeepCopyOnServer, "automatic_check": m.AutomaticCheck,
		"active": m.Active, "address": m.Address, "port": m.Port, "protocol": m.Protocol,
		"authentication_type": m.AuthenticationType, "credential_id": m.CredentialID,
		"ignore_certificate": m.IgnoreCertificate, "certificate_rule": m.CertificateRule,
		"certificate_fingerprint": m.CertificateFingerprint, "certificate_ca": m.CertificateCA,
		"use_secure_connection": m.UseSecureConnection, "secure_connection_type": m.SecureConnectionType,
		"use_network_connector": m.UseNetworkConnector, "network_connector_id": m.NetworkConnectorID,
		"folder": m.Folder, "authserv_id": m.AuthservID, "by": by,
	}
}

func insertMailbox(ctx context.Context, tx pgx.Tx, m MailboxSettings, by string) (Mailbox, error) {
	stored, err := oneMailbox(tx.Query(ctx, `
		insert into mailbox_account (
			account_name, keep_copy_on_server, automatic_check, active, address, port, protocol,
			authentication_type, credential_id, ignore_certificate, certificate_rule, certificate_fingerprint,
			certificate_ca, use_secure_connection, secure_connection_type, use_network_connector,
			network_connector_id, folder, authserv_id, created_by, changed_by)
		values (
			@account_name, @keep_copy_on_server, @automatic_check, @active, @address, @port, @protocol,
			@authentication_type, nullif(@credential_id, 0), @ignore_certificate, @certificate_rule, @certificate_fingerprint,
			@certificate_ca, @use_secure_connection, @secure_connection_type, @use_network_connector,
			nullif(@network_connector_id, 0), @folder, @authserv_id, @by, @by)
		returning `+mailboxColumns, mailboxArgs(m, by)))
	return stored, mailboxProblem(err, m)
}

func updateMailbox(ctx context.Context, tx pgx.Tx, id int64, m MailboxSettings, by string) (Mailbox, error) {
	args := mailboxArgs(m, by)
	args["id"] = id
	stored, err := oneMailbox(tx.Query(ctx, `
		update mailbox_account
		set account_name = @account_name, keep_copy_on_server = @keep_copy_on_server,
			automatic_check = @automatic_check, active = @active, address = @address, port = @port,
			protocol = @protocol, authentication_type = @authentication_type,
			credential_id = nullif(@credential_id, 0), ignore_certificate = @ignore_certificate,
			certificate_rule = @certificate_rule, certificate_fingerprint = @certificate_fingerprint,
			certificate_ca = @certificate_ca, use_secure_connection = @use_secure_connection,
			secure_connection_type = @secure_connection_type, use_network_connector = @use_network_connector,
			network_connector_id = nullif(@network_connector_id, 0), folder = @folder, authserv_id = @authserv_id,
			changed_at = now(), changed_by = @by, version = version + 1
		where id = @id
		returning `+mailboxColumns, args))
	return stored, mailboxProblem(err, m)
}

func deleteMailbox(ctx context.Context, tx pgx.Tx, id int64) error {
	if _, err := tx.Exec(ctx, "delete from mailbox_account where id = @id", pgx.NamedArgs{"id": id}); err != nil {
		return fmt.Errorf("delete IMAP/POP3 account: %w", err)
	}
	return nil
}

// notifyMailbox tells every process that an account is new, changed or gone, once the transaction is committed.
func notifyMailbox(ctx context.Context, tx pgx.Tx, id int64) error {
	if _, err := tx.Exec(ctx, "select pg_notify(@channel, @id)", pgx.NamedArgs{"channel": MailboxChannel, "id": strconv.FormatInt(id, 10)}); err != nil {
		return fmt.Errorf("tell about IMAP/POP3 account %d: %w", id, err)
	}
	return nil
}

// mailboxProblem turns the name of a violated constraint into a sentence beside the field.
func mailboxProblem(err error, m MailboxSettings) error {
	switch postgres.Constraint(err) {
	case "mailbox_account_name_unique":
		return anotherName(m.AccountName)
	case "mailbox_account_credential":
		return credentialGone
	case "mailbox_account_network_connector":
		return connectorGone
	default:
		return err
	}
}

// mailboxReads reports whether an active IMAP/POP3 account reads the mailbox of this address.
func mailboxReads(ctx context.Context, pool *pgxpool.Pool, address string) (bool, error) {
	var found bool
	err := pool.QueryRow(ctx, `
		select exists (
			select from mailbox_account
			join credential on credential.id = mailbox_account.credential_id
			where mailbox_account.active and lower(credential.username) = lower(@address)
		)`, pgx.NamedArgs{"address": address}).Scan(&found)
	if err != nil {
		return false, fmt.Errorf("look for the mailbox %s: %w", address, err)
	}
	return found, nil
}

// rivalMailbox is the name of another active account that reads the same mailbox, or "".
func rivalMailbox(ctx context.Context, pool *pgxpool.Pool, id int64, m MailboxSettings) (name string, err error) {
	err = pool.QueryRow(ctx, `
		select coalesce(min(account_name), '')
		from mailbox_account
		join credential on credential.id = mailbox_account.credential_id
		where active and mailbox_account.id <> @id and address = @address and folder = @folder
			and credential.username = (select username from credential where id = @credential)`,
		pgx.NamedArgs{"id": id, "address": m.Address, "folder": m.Folder, "credential": m.CredentialID}).Scan(&name)
	if err != nil {
		return "", fmt.Errorf("look for another account on the mailbox: %w", err)
	}
	return name, nil
}
