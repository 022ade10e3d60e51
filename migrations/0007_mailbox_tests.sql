-- +goose Up
-- The history of the tests of IMAP/POP3 accounts: like smtp_test, without what a message has.

create table mailbox_test (
    id                 bigint generated always as identity primary key,
    mailbox_account_id bigint constraint mailbox_test_mailbox_account references mailbox_account (id) on delete cascade, -- null: values that were not saved
    account_name       text not null,
    protocol           text not null constraint mailbox_test_protocol check (protocol in ('imap', 'pop3')),
    mailbox            text not null default '', -- whose it is: the username
    state              text not null constraint mailbox_test_state check (state in ('running', 'opened', 'failed')),
    reply              text not null default '', -- what was found, or the server's words
    server             text not null default '', -- who said it
    steps              jsonb not null default '[]',
    started_at         timestamptz not null default now(),
    ended_at           timestamptz,
    started_by         text not null default ''
);
create index mailbox_test_account on mailbox_test (mailbox_account_id, id desc);
