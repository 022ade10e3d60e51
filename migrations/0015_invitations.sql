-- +goose Up
-- Somebody was made a user and chooses a password by a link in a mail. Only the link's hash is kept.

create table invitation (
    user_id    bigint primary key constraint invitation_user references "user" (id) on delete cascade,
    hash       bytea not null constraint invitation_hash_unique unique,
    created_at timestamptz not null default now(),
    created_by text not null default '',
    expires_at timestamptz not null
);
create index user_email on "user" (lower(email)) where email <> '';
