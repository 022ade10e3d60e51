package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// smtpColumns lists the columns of an SMTP account; a blank reference is 0 in Go and null in the table.
const smtpColumns = `
	id, account_name, active, provider, sender_email, sender_name, reply_to_email, return_path_email,
	confirmation_email, default_account, send_read_confirmation, force_configuration, enable_footer,
	smtp_host, port, use_secure_connection, secure_connection_type, use_authentication, authentication_type,
	coalesce(credential_id, 0) as credential_id, ignore_certificate_error, certificate_rule,
	certificate_fingerprint, certificate_ca, use_network_connector,
	coalesce(network_connector_id, 0) as network_connector_id,
	max_connections, max_messages_per_minute, fallback_order,
	created_at, created_by, changed_at, changed_by, version`

// querier is the pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func findSMTP(ctx context.Context, q querier, id int64) (SMTP, error) {
	return oneSMTP(q.Query(ctx, "select "+smtpColumns+" from smtp_account where id = @id", pgx.NamedArgs{"id": id}))
}

// lockSMTP reads the account and keeps others from changing it until the transaction ends.
func lockSMTP(ctx context.Context, tx pgx.Tx, id int64) (SMTP, error) {
	return oneSMTP(tx.Query(ctx, "select "+smtpColumns+" from smtp_account where id = @id for update", pgx.NamedArgs{"id": id}))
}

func findSMTPByName(ctx context.Context, q querier, name string) (SMTP, error) {
	return oneSMTP(q.Query(ctx, "select "+smtpColumns+" from smtp_account where lower(account_name) = lower(@name)", pgx.NamedArgs{"name": name}))
}

func oneSMTP(rows pgx.Rows, err error) (SMTP, error) {
	if err != nil {
		return SMTP{}, fmt.Errorf("read SMTP account: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[SMTP])
	if errors.Is(err, pgx.ErrNoRows) {
		return SMTP{}, problem.ErrNotFound
	}
	if err != nil {
		return SMTP{}, fmt.Errorf("read SMTP account: %w", err)
	}
	return found, nil
}

// smtpArgs names every setting for insert and update.
func smtpArgs(s SMTPSettings, by string) pgx.NamedArgs {
	return pgx.NamedArgs{
		"account_name": s.AccountName, "active": s.Active, "provider": s.Provider,
		"sender_email": s.SenderEmail, "sender_name": s.SenderName, "reply_to_email": s.ReplyToEmail,
		"return_path_email": s.ReturnPathEmail, "confirmation_email": s.ConfirmationEmail,
		"default_account": s.DefaultAccount, "send_read_confirmation": s.SendReadConfirmation,
		"force_configuration": s.ForceConfiguration, "enable_footer": s.EnableFooter,
		"smtp_host": s.SMTPHost, "port": s.Port, "use_secure_connection": s.UseSecureConnection,
		"secure_connection_type": s.SecureConnectionType, "use_authentication": s.UseAuthentication,
		"authentication_type": s.AuthenticationType, "credential_id": s.CredentialID,
		"ignore_certificate_error": s.IgnoreCertificateError, "certificate_rule": s.CertificateRule,
		"certificate_fingerprint": s.CertificateFingerprint, "certificate_ca": s.CertificateCA,
		"use_network_connector": s.UseNetworkConnector, "network_connector_id": s.NetworkConnectorID,
		"max_connections": s.MaxConnections, "max_messages_per_minute": s.MaxMessagesPerMinute,
		"fallback_order": s.FallbackOrder, "by": by,
	}
}

func insertSMTP(ctx context.Context, tx pgx.Tx, s SMTPSettings, by string) (SMTP, error) {
	stored, err := oneSMTP(tx.Query(ctx, `
		insert into smtp_account (
			account_name, active, provider, sender_email, sender_name, reply_to_email, return_path_email,
			confirmation_email, default_account, send_read_confirmation, force_configuration, enable_footer,
			smtp_host, port, use_secure_connection, secure_connection_type, use_authentication,
			authentication_type, credential_id, ignore_certificate_error, certificate_rule,
			certificate_fingerprint, certificate_ca, use_network_connector, network_connector_id,
			max_connections, max_messages_per_minute, fallback_order, created_by, changed_by)
		values (
			@account_name, @active, @provider, @sender_email, @sender_name, @reply_to_email, @return_path_email,
			@confirmation_email, @default_account, @send_read_confirmation, @force_configuration, @enable_footer,
			@smtp_host, @port, @use_secure_connection, @secure_connection_type, @use_authentication,
			@authentication_type, nullif(@credential_id, 0), @ignore_certificate_error, @certificate_rule,
			@certificate_fingerprint, @certificate_ca, @use_network_connector, nullif(@network_connector_id, 0),
			@max_connections, @max_messages_per_minute, @fallback_order, @by, @by)
		returning `+smtpColumns, smtpArgs(s, by)))
	return stored, smtpProblem(err, s)
}

func updateSMTP(ctx context.Context, tx pgx.Tx, id int64, s SMTPSettings, by string) (SMTP, error) {
	args := smtpArgs(s, by)
	args["id"] = id
	stored, err := oneSMTP(tx.Query(ctx, `
		update smtp_account
		set account_name = @account_name, active = @active, provider = @provider,
			sender_email = @sender_email, sender_name = @sender_name, reply_to_email = @reply_to_email,
			return_path_email = @return_path_email, confirmation_email = @confirmation_email,
			default_account = @default_account, send_read_confirmation = @send_read_confirmation,
			force_configuration = @force_configuration, enable_footer = @enable_footer,
			smtp_host = @smtp_host, port = @port, use_secure_connection = @use_secure_connection,
			secure_connection_type = @secure_connection_type, use_authentication = @use_authentication,
			authentication_type = @authentication_type, credential_id = nullif(@credential_id, 0),
			ignore_certificate_error = @ignore_certificate_error, certificate_rule = @certificate_rule,
			certificate_fingerprint = @certificate_fingerprint, certificate_ca = @certificate_ca,
			use_network_connector = @use_network_connector, network_connector_id = nullif(@network_connector_id, 0),
			max_connections = @max_connections, max_messages_per_minute = @max_messages_per_minute,
			fallback_order = @fallback_order, changed_at = now(), changed_by = @by, version = version + 1
		where id = @id
		returning `+smtpColumns, args))
	return stored, smtpProblem(err, s)
}

func deleteSMTP(ctx context.Context, tx pgx.Tx, id int64) error {
	if _, err := tx.Exec(ctx, "delete from smtp_account where id = @id", pgx.NamedArgs{"id": id}); err != nil {
		return fmt.Errorf("delete SMTP account: %w", err)
	}
	return nil
}

// lockDefault makes administrators who choose a default account at the same time wait for each other.
func lockDefault(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('smtp_account.default'))"); err != nil {
		return fmt.Errorf("lock the default account: %w", err)
	}
	return nil
}

// clearDefault takes the default from the account that has it, unless that is the excepted one.
// Nobody had it: the zero SMTP.
func clearDefault(ctx context.Context, tx pgx.Tx, except int64) (SMTP, error) {
	previous, err := oneSMTP(tx.Query(ctx, `
		update smtp_account
		set default_account = false, version = version + 1
		where default_account and id <> @except
		returning `+smtpColumns, pgx.NamedArgs{"except": except}))
	if errors.Is(err, problem.ErrNotFound) {
		return SMTP{}, nil
	}
	return previous, err
}

// smtpProblem turns the name of a violated constraint into a sentence beside the field.
func smtpProblem(err error, s SMTPSettings) error {
	switch postgres.Constraint(err) {
	case "smtp_account_name_unique":
		return anotherName(s.AccountName)
	case "smtp_account_credential":
		return credentialGone
	case "smtp_account_network_connector":
		return connectorGone
	default:
		return err
	}
}

// hasDefault reports whether notifications have a way out.
func hasDefault(ctx context.Context, pool *pgxpool.Pool) (found bool, err error) {
	err = pool.QueryRow(ctx, "select exists (select from smtp_account where default_account and active)").Scan(&found)
	if err != nil {
		return false, fmt.Errorf("look for the default account: %w", err)
	}
	return found, nil
}
