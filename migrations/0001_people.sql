-- +goose Up
-- Who may come in, and who did what.

create table "user" (
    id            bigint generated always as identity primary key,
    username      text not null constraint user_username_not_blank check (username <> ''),
    email         text not null default '',
    full_name     text not null default '',
    role          text not null constraint user_role check (role in ('administrator', 'operator', 'auditor', 'member')),
    language      text not null default 'en' constraint user_language check (language in ('en', 'pt', 'es')),
    time_zone     text not null default 'UTC',
    password_hash text not null default '', -- argon2id in PHC form; empty: cannot sign in with a password
    active        boolean not null default true,
    created_at    timestamptz not null default now(),
    changed_at    timestamptz not null default now(),
    changed_by    text not null default '',
    last_sign_in  timestamptz,
    version       integer not null default 1
);
create unique index user_username_unique on "user" (lower(username));

-- The cookie carries a random key; only its hash is kept, so a database dump opens no session.
create table session (
    id           bigint generated always as identity primary key,
    key_hash     bytea not null constraint session_key_hash_unique unique,
    user_id      bigint not null references "user" (id) on delete cascade,
    data         bytea not null default '',
    address      text not null default '',
    user_agent   text not null default '',
    created_at   timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    confirmed_at timestamptz, -- when the password was last asked
    expires_at   timestamptz not null
);
create index session_user_id on session (user_id);
create index session_expires on session (expires_at);

-- Failed sign-ins by account and by address; several Orbit processes throttle together.
create table sign_in_failure (
    key        text primary key, -- "user:<name>", "address:<ip>", "session:<id>", "setup:code"
    failures   integer not null,
    last_at    timestamptz not null,
    blocked_until timestamptz not null
);

create table api_token (
    id           bigint generated always as identity primary key,
    name         text not null constraint api_token_name_not_blank check (name <> ''),
    role         text not null constraint api_token_role check (role in ('administrator', 'operator', 'auditor', 'member')),
    hash         bytea not null constraint api_token_hash_unique unique,
    created_by   text not null default '',
    created_at   timestamptz not null default now(),
    last_used_at timestamptz,
    expires_at   timestamptz
);
create unique index api_token_name_unique on api_token (lower(name));

-- Append-only, each entry carries the hash of the one before.
create table audit_entry (
    id            bigint generated always as identity primary key,
    at            timestamptz not null,
    actor_kind    text not null constraint audit_entry_actor_kind check (actor_kind in ('user', 'token', 'command', 'system')),
    actor_id      bigint not null default 0,
    actor_name    text not null,
    actor_address text not null default '',
    action        text not null, -- "smtp_account.changed"
    object        text not null default '', -- "smtp_account"
    object_id     bigint not null default 0,
    object_name   text not null default '',
    detail        jsonb not null default '{}',
    previous_hash bytea not null,
    hash          bytea not null
);
create index audit_entry_at on audit_entry (at);
create index audit_entry_object on audit_entry (object, object_id);

-- +goose StatementBegin
create function audit_entry_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'audit entries cannot be changed or removed' using constraint = 'audit_entry_append_only';
end
$$;
-- +goose StatementEnd
create trigger audit_entry_append_only before update or delete or truncate on audit_entry
    for each statement execute function audit_entry_is_append_only();

-- One row a running Orbit process; a stale heartbeat is a dead process.
create table process (
    id         uuid primary key,
    host       text not null,
    pid        integer not null,
    version    text not null default '',
    started_at timestamptz not null default now(),
    seen_at    timestamptz not null default now()
);
