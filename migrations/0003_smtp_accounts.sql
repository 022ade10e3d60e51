-- +goose Up
-- SMTP accounts and the history of their tests.

create table smtp_account (
    id                       bigint generated always as identity primary key,
    account_name             text not null constraint smtp_account_name_not_blank check (account_name <> ''),
    active                   boolean not null default true,
    provider                 text not null default 'other',
    sender_email             text not null constraint smtp_account_sender_email_not_blank check (sender_email <> ''),
    sender_name              text not null default '',
    reply_to_email           text not null default '',
    return_path_email        text not null default '',
    confirmation_email       text not null default '',
    default_account          boolean not null default false,
    send_read_confirmation   boolean not null default false,
    force_configuration      boolean not null default false,
    enable_footer            boolean not null default false,
    smtp_host                text not null,
    port                     integer not null constraint smtp_account_port check (port between 1 and 65535),
    use_secure_connection    boolean not null default false,
    secure_connection_type   text not null default '' constraint smtp_account_secure_connection_type check (secure_connection_type in ('', 'tls', 'ssl')),
    use_authentication       boolean not null default true,
    authentication_type      text not null default 'password' constraint smtp_account_authentication_type check (authentication_type in ('password', 'oauth2')),
    credential_id            bigint constraint smtp_account_credential references credential (id),
    ignore_certificate_error boolean not null default false, -- wins over the rule
    certificate_rule         text not null default 'verify' constraint smtp_account_certificate_rule check (certificate_rule in ('verify', 'pin', 'custom_ca')),
    certificate_fingerprint  text not null default '',
    certificate_ca           text not null default '',
    use_network_connector    boolean not null default false,
    network_connector_id     bigint constraint smtp_account_network_connector references network_connector (id),
    max_connections          integer not null default 0 constraint smtp_account_max_connections check (max_connections between 0 and 1000), -- 0: the provider's known limit
    max_messages_per_minute  integer not null default 0 constraint smtp_account_max_messages check (max_messages_per_minute between 0 and 100000),
    fallback_order           integer not null default 0, -- alternatives are tried in ascending order; 0: none
    created_at               timestamptz not null default now(),
    created_by               text not null default '',
    changed_at               timestamptz not null default now(),
    changed_by               text not null default '',
    version                  integer not null default 1,
    constraint smtp_account_secure_type_with_switch check (use_secure_connection = (secure_connection_type <> ''))
);
create unique index smtp_account_name_unique on smtp_account (lower(account_name));
create unique index smtp_account_one_default on smtp_account (default_account) where default_account;

-- A run of "Test configuration". Steps are written as they happen, so any process can show a running test.
create table smtp_test (
    id              bigint generated always as identity primary key,
    smtp_account_id bigint references smtp_account (id) on delete cascade, -- null: values that were not saved
    account_name    text not null,
    recipient       text not null,
    subject         text not null,
    state           text not null constraint smtp_test_state check (state in ('running', 'delivered', 'failed')),
    message_id      text not null default '',
    reply           text not null default '', -- the server's final reply
    server          text not null default '', -- who gave it
    steps           jsonb not null default '[]',
    started_at      timestamptz not null default now(),
    ended_at        timestamptz,
    started_by      text not null default ''
);
create index smtp_test_account on smtp_test (smtp_account_id, id desc);
