-- +goose Up
-- A running test says again and again that its process lives, so that one whose process was killed is closed soon.

alter table smtp_test add column alive_at timestamptz not null default now();
alter table mailbox_test add column alive_at timestamptz not null default now();
create index smtp_test_running on smtp_test (alive_at) where state = 'running';
create index mailbox_test_running on mailbox_test (alive_at) where state = 'running';
