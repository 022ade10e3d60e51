-- +goose Up
-- What the whole installation shares: keys, credentials, connectors, parameters.

-- The data keys, sealed by the key file outside the database. One row.
create table vault_keyset (
    only_row   boolean primary key default true constraint vault_keyset_only_row check (only_row),
    sealed     bytea not null,
    changed_at timestamptz not null default now()
);

create table credential (
    id         bigint generated always as identity primary key,
    name       text not null constraint credential_name_not_blank check (name <> ''),
    username   text not null constraint credential_username_not_blank check (username <> ''),
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    changed_by text not null default '',
    version    integer not null default 1
);
create unique index credential_name_unique on credential (lower(name));
create index credential_username on credential (lower(username));

-- One sealed copy of the secret for each destination that it may go to. The destination is part of the
-- associated data, so a copy moved to another row does not open.
create table credential_secret (
    credential_id bigint not null references credential (id) on delete cascade,
    destination   text not null,
    sealed        bytea not null,
    created_at    timestamptz not null default now(),
    last_used_at  timestamptz,
    primary key (credential_id, destination)
);

create table network_connector (
    id            bigint generated always as identity primary key,
    name          text not null constraint network_connector_name_not_blank check (name <> ''),
    kind          text not null constraint network_connector_kind check (kind in ('direct', 'agent', 'socks5', 'http_connect', 'ssh')),
    address       text not null default '',
    port          integer not null default 0 constraint network_connector_port check (port between 0 and 65535),
    credential_id bigint constraint network_connector_credential references credential (id),
    fingerprint   text not null default '',
    active        boolean not null default true,
    created_at    timestamptz not null default now(),
    changed_at    timestamptz not null default now(),
    version       integer not null default 1
);
create unique index network_connector_name_unique on network_connector (lower(name));
create unique index network_connector_one_direct on network_connector (kind) where kind = 'direct';
insert into network_connector (name, kind) values ('direct', 'direct');

-- Typed in internal/setting; a name that is missing has its default.
create table system_parameter (
    name       text primary key,
    value      jsonb not null,
    changed_at timestamptz not null default now(),
    changed_by text not null default '',
    version    integer not null default 1
);
