-- +goose Up
-- Agents of network connectors: who they are, which process has them, what they carried, and what happened.

-- What all Orbit processes share, so that agents know them by one fingerprint and they know each other.
create table connector_server (
    id              bigint primary key constraint connector_server_one check (id = 1),
    certificate     bytea not null, -- DER
    fingerprint     text not null,  -- its SHA-256 in hex, what agents are given
    key_sealed      bytea not null, -- PKCS #8
    peer_key_sealed bytea not null, -- proves a process to another one
    created_at      timestamptz not null default now(),
    created_by      text not null default ''
);

create table connector_agent (
    id                   bigint generated always as identity primary key,
    network_connector_id bigint not null constraint connector_agent_network_connector references network_connector (id) on delete cascade,
    name                 text not null,
    public_key           bytea not null constraint connector_agent_public_key check (length(public_key) = 32), -- Ed25519
    secondary            boolean not null default false, -- carries only while no primary one does
    version              text not null default '',
    address              text not null default '', -- where it was seen last
    enrolled_at          timestamptz not null default now(),
    seen_at              timestamptz,
    revoked_at           timestamptz,
    revoked_by           text not null default '',
    bytes_up             bigint not null default 0, -- to the agent, ever
    bytes_down           bigint not null default 0, -- from it
    tunnels              bigint not null default 0,
    online               boolean not null default false, -- as recorded; short breaks are not
    online_since         timestamptz,                    -- since when online says so
    missed_since         timestamptz                     -- not seen, not yet recorded
);
create unique index connector_agent_key_unique on connector_agent (public_key);
create index connector_agent_connector on connector_agent (network_connector_id);

-- A token enrols one agent, once.
create table connector_token (
    id                   bigint generated always as identity primary key,
    network_connector_id bigint not null constraint connector_token_network_connector references network_connector (id) on delete cascade,
    hash                 bytea not null,
    created_at           timestamptz not null default now(),
    created_by           text not null default '',
    expires_at           timestamptz not null,
    used_at              timestamptz,
    connector_agent_id   bigint constraint connector_token_agent references connector_agent (id) on delete cascade
);
create unique index connector_token_hash_unique on connector_token (hash);
create index connector_token_connector on connector_token (network_connector_id);
create index connector_token_agent on connector_token (connector_agent_id) where connector_agent_id is not null;

-- Processes that may be asked for a tunnel. They are cleared away when seen_at is old.
create table connector_process (
    id         uuid primary key,
    host       text not null,
    pid        integer not null,
    version    text not null default '',
    listening  boolean not null default false,
    reason     text not null default '',  -- why it does not listen
    addresses  text[] not null default '{}', -- host:port where others may reach it
    started_at timestamptz not null default now(),
    seen_at    timestamptz not null default now()
);

-- Which process has which agent. A row exists while the agent is connected there.
create table connector_link (
    process_id           uuid not null constraint connector_link_process references connector_process (id) on delete cascade,
    connector_agent_id   bigint not null constraint connector_link_agent references connector_agent (id) on delete cascade,
    address              text not null default '',
    version              text not null default '',
    since                timestamptz not null,
    tunnels              integer not null default 0, -- open now
    up_per_second        bigint not null default 0,
    down_per_second      bigint not null default 0,
    latency_microseconds bigint not null default 0, -- median of the last minute
    updated_at           timestamptz not null default now(),
    primary key (process_id, connector_agent_id)
);
create index connector_link_agent on connector_link (connector_agent_id);

create table connector_latency (
    connector_agent_id bigint not null constraint connector_latency_agent references connector_agent (id) on delete cascade,
    at                 timestamptz not null default now(),
    microseconds       bigint not null
);
create index connector_latency_agent on connector_latency (connector_agent_id, at);

-- Whether any agent of a connector is there, as recorded.
create table connector_state (
    network_connector_id bigint primary key constraint connector_state_network_connector references network_connector (id) on delete cascade,
    up                   boolean not null,
    since                timestamptz not null default now(),
    missed_since         timestamptz
);

-- The log, bounded. No references: it outlives what it tells of.
create table connector_event (
    id                   bigint generated always as identity primary key,
    at                   timestamptz not null default now(),
    level                text not null constraint connector_event_level check (level in ('info', 'warning', 'error')),
    operation            text not null,
    network_connector_id bigint not null default 0,
    connector_agent_id   bigint not null default 0,
    address              text not null default '',
    port                 integer not null default 0,
    message              text not null
);
create index connector_event_at on connector_event (at);
create index connector_event_connector on connector_event (network_connector_id, id) where network_connector_id <> 0;

-- Whoever revokes an agent, deletes it, or deletes its connector cuts it off: the processes hear of it from
-- here, so none of these ways can forget to tell them.
-- +goose StatementBegin
create function tell_connector_agents() returns trigger language plpgsql as $$
begin
    perform pg_notify('connector_agent', '');
    return null;
end
$$;
-- +goose StatementEnd
create trigger connector_agent_changed after delete or update of revoked_at on connector_agent
    for each statement execute function tell_connector_agents();
create trigger connector_agent_wanted after insert or delete or update on network_connector
    for each statement execute function tell_connector_agents();
