-- +goose Up
-- Mail servers that access tokens may go to although they are not the provider's own: those that were in use when
-- somebody authorised the address, or entered the secret of a registration that needs nobody.

create table oauth_destination (
    id                     bigint generated always as identity primary key,
    oauth_grant_id         bigint references oauth_grant (id) on delete cascade,
    oauth_client_secret_id bigint references oauth_client_secret (id) on delete cascade,
    destination            text not null constraint oauth_destination_not_blank check (destination <> ''),
    approved_at            timestamptz not null default now(),
    approved_by            text not null default '',
    constraint oauth_destination_one_reason check (num_nonnulls(oauth_grant_id, oauth_client_secret_id) = 1),
    constraint oauth_destination_of_grant_unique unique (oauth_grant_id, destination),
    constraint oauth_destination_of_secret_unique unique (oauth_client_secret_id, destination)
);
