-- +goose Up
-- Who may ask providers for tokens (clients), what was obtained (grants), and the ways there.

create table oauth_client (
    id                      bigint generated always as identity primary key,
    -- an address, @domain or @; always lower case, looked up in this order
    pattern                 text not null constraint oauth_client_pattern check (pattern ~ '^(@|@[^@\s]+|[^@\s]+@[^@\s]+)$' and pattern = lower(pattern)),
    flow                    text not null constraint oauth_client_flow check (flow in ('authorization_code', 'client_credentials', 'device', 'password', 'service_account')),
    provider                text not null default 'other',
    tenant                  text not null default '',
    permission_url          text not null default '',
    device_url              text not null default '',
    token_url               text not null constraint oauth_client_token_url_not_blank check (token_url <> ''),
    issuer                  text not null default '', -- expected in the answer's iss (RFC 9207); empty: the host of permission_url
    scope                   text not null default '',
    resource                text not null default '', -- password flow of old clouds only
    client_id               text not null constraint oauth_client_client_id_not_blank check (client_id <> ''),
    redirect_uri            text not null default '', -- empty: Orbit's own
    redirect_listen_address text not null default '', -- empty: the web server answers
    active_slot             smallint not null default 1 constraint oauth_client_active_slot check (active_slot in (1, 2)),
    use_network_connector   boolean not null default false,
    network_connector_id    bigint constraint oauth_client_network_connector references network_connector (id),
    proxy_listener_id       bigint, -- null: any listener; the listeners' own migration adds the reference
    created_at              timestamptz not null default now(),
    created_by              text not null default '',
    changed_at              timestamptz not null default now(),
    changed_by              text not null default '',
    version                 integer not null default 1
);
create unique index oauth_client_pattern_unique on oauth_client (pattern);

-- What a client proves itself with. Two slots, so that a new secret can be tried before the old one is gone.
create table oauth_client_secret (
    id              bigint generated always as identity primary key,
    oauth_client_id bigint not null references oauth_client (id) on delete cascade,
    slot            smallint not null constraint oauth_client_secret_slot check (slot in (1, 2)),
    kind            text not null constraint oauth_client_secret_kind check (kind in ('secret', 'certificate', 'service_account')),
    sealed          bytea not null, -- the secret, the certificate's key (PEM) or the service account's key (JSON)
    certificate     text not null default '', -- PEM, public
    thumbprint      text not null default '', -- SHA-256 of the certificate, lower-case hex
    algorithm       text not null default '' constraint oauth_client_secret_algorithm check (algorithm in ('', 'PS256', 'RS256')),
    key_id          text not null default '',
    expires_at      timestamptz,
    warned_days     integer, -- the last threshold that was announced
    created_at      timestamptz not null default now(),
    created_by      text not null default '',
    proven_at       timestamptz, -- the token endpoint has accepted it
    constraint oauth_client_secret_one_per_slot unique (oauth_client_id, slot)
);

-- One row an address. Tokens are sealed and bound to the token endpoint that gave them.
create table oauth_grant (
    id              bigint generated always as identity primary key,
    address         text not null constraint oauth_grant_address check (address = lower(address) and address ~ '^[^@\s]+@[^@\s]+$'),
    oauth_client_id bigint not null references oauth_client (id) on delete cascade,
    state           text not null default 'none' constraint oauth_grant_state check (state in ('none', 'waiting', 'active', 'failed')),
    failed_because  text not null default '' constraint oauth_grant_failed_because check (failed_because in ('', 'grant', 'client', 'upstream')),
    sealed_access   bytea,
    sealed_refresh  bytea,
    sealed_password bytea, -- password flow only
    scope           text not null default '', -- as granted
    signed_in_as    text not null default '', -- the mailbox the provider named, where it did
    issued_at       timestamptz,
    expires_at      timestamptz, -- of the access token
    refresh_due_at  timestamptz, -- 80 % of its life
    generation      bigint not null default 0, -- counts every change of the tokens: what a process has in memory is compared with it
    consent         bigint not null default 0, -- counts every new basis: tokens that were asked for on an older one are not stored
    lease_owner     text not null default '', -- the process that asks the provider at this moment
    lease_until     timestamptz,
    failures        integer not null default 0, -- temporary ones in a row
    retry_at        timestamptz,
    fault           jsonb, -- the last error, explained
    failed_at       timestamptz,
    authorised_at   timestamptz,
    authorised_by   text not null default '',
    proven_at       timestamptz,
    proven_by       text not null default '', -- what accepted the token
    created_at      timestamptz not null default now(),
    changed_at      timestamptz not null default now(),
    constraint oauth_grant_active_is_proven check (state <> 'active' or proven_at is not null),
    constraint oauth_grant_failed_has_reason check ((state = 'failed') = (failed_because <> '')),
    constraint oauth_grant_lease_whole check ((lease_owner = '') = (lease_until is null))
);
create unique index oauth_grant_address_unique on oauth_grant (address);
create index oauth_grant_client on oauth_grant (oauth_client_id);
create index oauth_grant_refresh_due on oauth_grant (refresh_due_at) where state in ('waiting', 'active');

-- A start address as the log prints it: valid a day, every visit makes a fresh state. Only hashes are kept.
create table oauth_start (
    id             bigint generated always as identity primary key,
    id_hash        bytea not null constraint oauth_start_id_hash_unique unique,
    oauth_grant_id bigint not null references oauth_grant (id) on delete cascade,
    created_by     text not null default '',
    created_at     timestamptz not null default now(),
    expires_at     timestamptz not null
);
create index oauth_start_grant on oauth_start (oauth_grant_id);
create index oauth_start_expires on oauth_start (expires_at);

-- One trip to the provider and back: ten minutes, once, for the browser session or the start address that began it.
create table oauth_authorization (
    id              bigint generated always as identity primary key,
    state_hash      bytea not null constraint oauth_authorization_state_hash_unique unique,
    oauth_grant_id  bigint not null references oauth_grant (id) on delete cascade,
    oauth_client_id bigint not null references oauth_client (id) on delete cascade,
    oauth_start_id  bigint references oauth_start (id) on delete cascade,
    session_hash    bytea,
    sealed_verifier bytea not null,
    redirect_uri    text not null,
    started_by      text not null default '',
    created_at      timestamptz not null default now(),
    expires_at      timestamptz not null,
    used_at         timestamptz,
    outcome         jsonb, -- what the person was told, so that reloading the page tells it again
    constraint oauth_authorization_bound check (session_hash is not null or oauth_start_id is not null)
);
create index oauth_authorization_grant on oauth_authorization (oauth_grant_id);
create index oauth_authorization_expires on oauth_authorization (expires_at);

-- A device flow that somebody is asked to finish. The next poll is written before it is made, so one process polls.
create table oauth_device (
    id                        bigint generated always as identity primary key,
    oauth_grant_id            bigint not null references oauth_grant (id) on delete cascade,
    oauth_client_id           bigint not null references oauth_client (id) on delete cascade,
    sealed_code               bytea not null,
    user_code                 text not null,
    verification_uri          text not null,
    verification_uri_complete text not null default '',
    interval_seconds          integer not null constraint oauth_device_interval check (interval_seconds between 1 and 3600),
    next_poll_at              timestamptz not null,
    started_by                text not null default '',
    created_at                timestamptz not null default now(),
    expires_at                timestamptz not null,
    ended_at                  timestamptz,
    outcome                   jsonb
);
create unique index oauth_device_one_pending on oauth_device (oauth_grant_id) where ended_at is null;
create index oauth_device_next_poll on oauth_device (next_poll_at) where ended_at is null;
