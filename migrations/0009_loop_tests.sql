-- +goose Up
-- Loop tests: a message from an SMTP account to a mailbox that is read here.

create table loop_test (
    id                 bigint generated always as identity primary key,
    mailbox_account_id bigint not null constraint loop_test_mailbox_account references mailbox_account (id) on delete cascade,
    smtp_account_id    bigint constraint loop_test_smtp_account references smtp_account (id) on delete set null,
    smtp_account_name  text not null,
    address            text not null, -- of the mailbox
    nonce              text not null constraint loop_test_nonce unique,
    state              text not null constraint loop_test_state check (state in ('sending', 'waiting', 'arrived', 'not_sent', 'lost')),
    started_at         timestamptz not null default now(),
    started_by         text not null default '', -- '': the schedule
    claimed_at         timestamptz, -- by the process that sends it
    sent_at            timestamptz,
    ended_at           timestamptz,
    reply              text not null default '', -- the mail server's last word
    header             text not null default '', -- as it was sent
    folder             text not null default '',
    junk               boolean not null default false,
    inbound_message_id bigint not null default 0, -- 0: it was found in another folder
    fault              jsonb,
    changes            jsonb not null default '[]', -- [{name, sent, received}]
    authentication     jsonb,
    authserv_seen      text not null default ''
);
create index loop_test_mailbox on loop_test (mailbox_account_id, id desc);
create index loop_test_open on loop_test (id) where state in ('sending', 'waiting');

create table loop_schedule (
    mailbox_account_id bigint not null constraint loop_schedule_mailbox_account references mailbox_account (id) on delete cascade,
    smtp_account_id    bigint not null constraint loop_schedule_smtp_account references smtp_account (id) on delete cascade,
    address            text not null default '',
    every_minutes      integer not null constraint loop_schedule_every_minutes check (every_minutes between 5 and 10080),
    next_at            timestamptz not null,
    constraint loop_schedule_once primary key (mailbox_account_id, smtp_account_id)
);
