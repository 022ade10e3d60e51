-- +goose Up
-- IMAP/POP3 accounts.

create table mailbox_account (
    id                      bigint generated always as identity primary key,
    account_name            text not null constraint mailbox_account_name_not_blank check (account_name <> ''),
    keep_copy_on_server     boolean not null default true,
    automatic_check         boolean not null default true,
    active                  boolean not null default true,
    address                 text not null,
    port                    integer not null constraint mailbox_account_port check (port between 1 and 65535),
    protocol                text not null constraint mailbox_account_protocol check (protocol in ('imap', 'pop3')),
    authentication_type     text not null default 'password' constraint mailbox_account_authentication_type check (authentication_type in ('password', 'oauth2')),
    credential_id           bigint constraint mailbox_account_credential references credential (id),
    ignore_certificate      boolean not null default false, -- wins over the rule
    certificate_rule        text not null default 'verify' constraint mailbox_account_certificate_rule check (certificate_rule in ('verify', 'pin', 'custom_ca')),
    certificate_fingerprint text not null default '',
    certificate_ca          text not null default '',
    use_secure_connection   boolean not null default false,
    secure_connection_type  text not null default '' constraint mailbox_account_secure_connection_type check (secure_connection_type in ('', 'tls', 'ssl')),
    use_network_connector   boolean not null default false,
    network_connector_id    bigint constraint mailbox_account_network_connector references network_connector (id),
    folder                  text not null default 'INBOX',
    authserv_id             text not null default '', -- whose Authentication-Results are believed (RFC 8601); empty: nobody's
    created_at              timestamptz not null default now(),
    created_by              text not null default '',
    changed_at              timestamptz not null default now(),
    changed_by              text not null default '',
    version                 integer not null default 1,
    constraint mailbox_account_secure_type_with_switch check (use_secure_connection = (secure_connection_type <> ''))
);
create unique index mailbox_account_name_unique on mailbox_account (lower(account_name));
