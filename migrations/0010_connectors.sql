-- +goose Up
-- Network connectors that people register: who did, and the host key that an SSH server offers until a person
-- has confirmed it. The confirmed one stands in fingerprint, with its type.
alter table network_connector
    add column host_key_type       text not null default '',
    add column offered_fingerprint text not null default '',
    add column offered_key_type    text not null default '',
    add column offered_at          timestamptz,
    add column created_by          text not null default '',
    add column changed_by          text not null default '',
    add constraint network_connector_reachable
        check (kind in ('direct', 'agent') or address <> '' and port > 0),
    add constraint network_connector_offered
        check ((offered_fingerprint = '') = (offered_at is null));
create index network_connector_credential on network_connector (credential_id);
