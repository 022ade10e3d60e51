-- +goose Up
-- The mail proxy: the ports it opens, what the processes do with them, and its log.

create table proxy_listener (
    id                      bigint generated always as identity primary key,
    name                    text not null constraint proxy_listener_name_not_blank check (name <> ''),
    protocol                text not null constraint proxy_listener_protocol check (protocol in ('imap', 'pop3', 'smtp')),
    local_address           text not null default '127.0.0.1' constraint proxy_listener_local_address_not_blank check (local_address <> ''),
    local_port              integer not null constraint proxy_listener_local_port check (local_port between 1 and 65535),
    local_security          text not null default '' constraint proxy_listener_local_security check (local_security in ('', 'tls', 'ssl')),
    certificate_file        text not null default '', -- for clients; PEM, on the machine of each process
    key_file                text not null default '',
    allow_unsafe_address    boolean not null default false, -- passwords may cross a network in clear
    proxy_protocol          boolean not null default false,
    server_address          text not null constraint proxy_listener_server_address_not_blank check (server_address <> ''),
    server_port             integer not null constraint proxy_listener_server_port check (server_port between 1 and 65535),
    server_security         text not null default 'ssl' constraint proxy_listener_server_security check (server_security in ('', 'tls', 'ssl')),
    certificate_rule        text not null default 'verify' constraint proxy_listener_certificate_rule check (certificate_rule in ('verify', 'pin', 'custom_ca', 'ignore')),
    certificate_fingerprint text not null default '',
    certificate_ca          text not null default '',
    use_network_connector   boolean not null default false,
    network_connector_id    bigint constraint proxy_listener_network_connector references network_connector (id),
    wanted                  text not null default 'running' constraint proxy_listener_wanted check (wanted in ('running', 'stopped')),
    restarts                bigint not null default 0, -- counts what people asked for; each process follows
    created_at              timestamptz not null default now(),
    created_by              text not null default '',
    changed_at              timestamptz not null default now(),
    changed_by              text not null default '',
    version                 integer not null default 1,
    constraint proxy_listener_local_certificate check (local_security = '' or (certificate_file <> '' and key_file <> ''))
);
create unique index proxy_listener_name_unique on proxy_listener (lower(name));
create unique index proxy_listener_local_unique on proxy_listener (local_address, local_port);

-- What a registration may be restricted to. A listener in use is not deleted: without it the registration
-- would apply to all others.
alter table oauth_client
    add constraint oauth_client_proxy_listener foreign key (proxy_listener_id) references proxy_listener (id);
create index oauth_client_listener on oauth_client (proxy_listener_id) where proxy_listener_id is not null;

-- What each process does with each listener.
create table proxy_listener_state (
    process_id        uuid not null references process (id) on delete cascade, -- its row is cleared away when seen_at is old
    proxy_listener_id bigint not null references proxy_listener (id) on delete cascade,
    state             text not null constraint proxy_listener_state_state check (state in ('starting', 'running', 'standby', 'failed', 'stopped')),
    reason            text not null default '', -- why standby or failed
    since             timestamptz not null,
    address           text not null default '', -- the port that is open
    sessions          integer not null default 0,
    accepted          bigint not null default 0,
    sign_ins          bigint not null default 0,
    refused           bigint not null default 0,
    bytes_up          bigint not null default 0, -- from clients
    bytes_down        bigint not null default 0, -- from servers
    last_used_at      timestamptz,
    failures          jsonb not null default '[]', -- the last ones, oldest first
    updated_at        timestamptz not null default now(),
    primary key (process_id, proxy_listener_id)
);
create index proxy_listener_state_listener on proxy_listener_state (proxy_listener_id);

-- The log. Processes write one after the other, so ids appear in their order and a reader that goes on after
-- the last id it has seen misses nothing.
create table proxy_event (
    id                bigint generated always as identity primary key,
    at                timestamptz not null,
    process_id        uuid not null, -- no reference, like the next: the log outlives what it tells of
    proxy_listener_id bigint not null default 0,
    session           bigint not null default 0, -- unique in its process
    level             text not null constraint proxy_event_level check (level in ('info', 'warning', 'error')),
    kind              text not null,
    account           text not null default '', -- lower case; what the client claimed where nobody has signed in
    client            text not null default '',
    text              text not null
);
create index proxy_event_account on proxy_event (account, id) where account <> '';
create index proxy_event_at on proxy_event (at);
