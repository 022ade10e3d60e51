-- +goose Up
-- Notifications: what happened, who is told, by which way, and how far each message is.
--
-- The tables that every message writes (event, notification, delivery, delivery_message, delivery_attempt) have no
-- foreign keys among each other: a check costs a lock on the parent row for each message. Retention removes
-- them together.

-- Event types of the installation's own; those that Orbit knows are in internal/notify/catalogue.go.
create table event_type (
    id         bigint generated always as identity primary key,
    name       text not null constraint event_type_name check (name ~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$'),
    title      text not null constraint event_type_title_not_blank check (title <> ''),
    category   text not null constraint event_type_category_not_blank check (category <> ''),
    fields     jsonb not null default '[]', -- empty: whatever the application sends
    created_at timestamptz not null default now(),
    created_by text not null default '',
    changed_at timestamptz not null default now(),
    changed_by text not null default '',
    version    integer not null default 1,
    constraint event_type_name_unique unique (name)
);

create table event (
    id               bigint generated always as identity primary key,
    type             text not null,
    data             jsonb not null default '{}',
    idempotency_key  text not null default '',
    reply_to         text not null default '',
    return_path      text not null default '',
    confirmation     text not null default '',
    access           text[], -- e-mails or usernames of those with access to what it is about; null: not told
    avoid_account_id bigint not null default 0, -- an alarm does not travel through the account that it is about
    expires_at       timestamptz,
    created_at       timestamptz not null default now(),
    created_by       text not null default ''
);
create unique index event_idempotency_key_unique on event (idempotency_key) where idempotency_key <> '';
create index event_created on event (created_at);

create table contact (
    id          bigint generated always as identity primary key,
    name        text not null constraint contact_name_not_blank check (name <> ''),
    email       text not null default '',
    username    text not null default '',
    department  text not null default '',
    language    text not null default 'en' constraint contact_language check (language in ('en', 'pt', 'es')),
    time_zone   text not null default 'UTC',
    user_id     bigint constraint contact_user references "user" (id) on delete set null, -- whose bell shows it
    active      boolean not null default true,
    bounced_at  timestamptz, -- the address does not exist (any more)
    bounce_text text not null default '',
    created_at  timestamptz not null default now(),
    created_by  text not null default '',
    changed_at  timestamptz not null default now(),
    changed_by  text not null default '',
    version     integer not null default 1
);
create unique index contact_email_unique on contact (lower(email)) where email <> '';
create index contact_user on contact (user_id) where user_id is not null;
create index contact_name on contact (lower(name), id);

create table contact_group (
    id          bigint generated always as identity primary key,
    name        text not null constraint contact_group_name_not_blank check (name <> ''),
    description text not null default '',
    created_at  timestamptz not null default now(),
    created_by  text not null default '',
    changed_at  timestamptz not null default now(),
    changed_by  text not null default '',
    version     integer not null default 1
);
create unique index contact_group_name_unique on contact_group (lower(name));

create table contact_group_member (
    contact_group_id bigint not null constraint contact_group_member_group references contact_group (id) on delete cascade,
    contact_id       bigint not null constraint contact_group_member_contact references contact (id) on delete cascade,
    primary key (contact_group_id, contact_id)
);
create index contact_group_member_contact_id on contact_group_member (contact_id);

-- Where applications are told by HTTP (Standard Webhooks).
create table webhook (
    id                    bigint generated always as identity primary key,
    name                  text not null constraint webhook_name_not_blank check (name <> ''),
    url                   text not null constraint webhook_url_not_blank check (url <> ''),
    secret                bytea not null default '', -- sealed
    use_network_connector boolean not null default false,
    network_connector_id  bigint constraint webhook_network_connector references network_connector (id),
    active                boolean not null default true,
    created_at            timestamptz not null default now(),
    created_by            text not null default '',
    changed_at            timestamptz not null default now(),
    changed_by            text not null default '',
    version               integer not null default 1
);
create unique index webhook_name_unique on webhook (lower(name));

create table notification_rule (
    id                        bigint generated always as identity primary key,
    name                      text not null constraint notification_rule_name_not_blank check (name <> ''),
    active                    boolean not null default true,
    by_email                  boolean not null default true,
    on_screen                 boolean not null default false,
    by_webhook                boolean not null default false,
    only_contacts_with_access boolean not null default false,
    digest_minutes            integer not null default 0 constraint notification_rule_digest check (digest_minutes between 0 and 1440), -- 0: immediately, 1440: daily
    digest_at                 text not null default '' constraint notification_rule_digest_at check (digest_at ~ '^([0-2][0-9]:[0-5][0-9])?$'), -- daily: when, in the contact's zone
    quiet_from                text not null default '' constraint notification_rule_quiet_from check (quiet_from ~ '^([0-2][0-9]:[0-5][0-9])?$'), -- in the contact's zone
    quiet_until               text not null default '' constraint notification_rule_quiet_until check (quiet_until ~ '^([0-2][0-9]:[0-5][0-9])?$'),
    smtp_account_id           bigint constraint notification_rule_smtp_account references smtp_account (id) on delete set null, -- null: the default account
    created_at                timestamptz not null default now(),
    created_by                text not null default '',
    changed_at                timestamptz not null default now(),
    changed_by                text not null default '',
    version                   integer not null default 1,
    constraint notification_rule_channel check (by_email or on_screen or by_webhook),
    constraint notification_rule_quiet_hours check ((quiet_from = '') = (quiet_until = ''))
);
create unique index notification_rule_name_unique on notification_rule (lower(name));

create table notification_rule_event_type (
    notification_rule_id bigint not null constraint notification_rule_event_type_rule references notification_rule (id) on delete cascade,
    event_type           text not null,
    added_at             timestamptz not null default now(),
    added_by             text not null default '',
    primary key (notification_rule_id, event_type)
);
create index notification_rule_event_type_type on notification_rule_event_type (event_type);

create table notification_rule_contact (
    notification_rule_id bigint not null constraint notification_rule_contact_rule references notification_rule (id) on delete cascade,
    contact_id           bigint not null constraint notification_rule_contact_contact references contact (id) on delete cascade,
    added_at             timestamptz not null default now(),
    added_by             text not null default '',
    primary key (notification_rule_id, contact_id)
);
create index notification_rule_contact_contact_id on notification_rule_contact (contact_id);

create table notification_rule_group (
    notification_rule_id bigint not null constraint notification_rule_group_rule references notification_rule (id) on delete cascade,
    contact_group_id     bigint not null constraint notification_rule_group_group references contact_group (id) on delete cascade,
    added_at             timestamptz not null default now(),
    added_by             text not null default '',
    primary key (notification_rule_id, contact_group_id)
);
create index notification_rule_group_group_id on notification_rule_group (contact_group_id);

create table notification_rule_webhook (
    notification_rule_id bigint not null constraint notification_rule_webhook_rule references notification_rule (id) on delete cascade,
    webhook_id           bigint not null constraint notification_rule_webhook_webhook references webhook (id) on delete cascade,
    primary key (notification_rule_id, webhook_id)
);

-- What an administrator wrote in place of a built-in text.
create table notification_text (
    id         bigint generated always as identity primary key,
    type       text not null,
    language   text not null constraint notification_text_language check (language in ('en', 'pt', 'es')),
    subject    text not null constraint notification_text_subject_not_blank check (subject <> ''),
    message    text not null constraint notification_text_message_not_blank check (message <> ''), -- HTML with tags
    active     boolean not null default true, -- false: the built-in text
    created_at timestamptz not null default now(),
    created_by text not null default '',
    changed_at timestamptz not null default now(),
    changed_by text not null default '',
    version    integer not null default 1,
    constraint notification_text_unique unique (type, language)
);

-- One event for one contact by one channel.
create table notification (
    id                   bigint generated always as identity primary key,
    event_id             bigint not null,
    notification_rule_id bigint not null default 0,
    channel              text not null constraint notification_channel check (channel in ('email', 'screen', 'webhook')),
    contact_id           bigint not null default 0,
    user_id              bigint not null default 0, -- screen: whose bell
    webhook_id           bigint not null default 0,
    held_until           timestamptz, -- waits for its digest, or for the end of quiet hours
    read_at              timestamptz, -- screen
    created_at           timestamptz not null default now()
);
create unique index notification_once on notification (event_id, channel, contact_id, user_id, webhook_id);
create index notification_screen on notification (user_id, id desc) where channel = 'screen';
create index notification_unread on notification (user_id) where channel = 'screen' and read_at is null;
create index notification_held on notification (held_until) where held_until is not null;

-- A message to one recipient, from its acceptance to its end. While it waits, the row is the queue.
create table delivery (
    id                   bigint generated always as identity primary key,
    event_id             bigint not null default 0, -- 0: a feature sent it itself, or a digest of several
    notification_id      bigint not null default 0,
    notification_rule_id bigint not null default 0,
    contact_id           bigint not null default 0,
    access_request_id    bigint not null default 0,
    text_type            text not null,
    language             text not null default 'en',
    time_zone            text not null default 'UTC',
    recipient            text not null,
    recipient_name       text not null default '',
    subject              text not null default '', -- once rendered
    priority             smallint not null default 1 constraint delivery_priority check (priority between 0 and 2),
    state                text not null default 'queued' constraint delivery_state check (state in ('queued', 'retrying', 'paused', 'sent', 'uncertain', 'failed', 'cancelled', 'expired')),
    waiting              boolean not null default true, -- a worker may take it when it is due
    due_at               timestamptz not null default now(),
    expires_at           timestamptz not null,
    gives_up_at          timestamptz not null,
    route_id             bigint not null default 0, -- the wanted account; 0: the default; negative: the default, but never that one
    smtp_account_id      bigint not null default 0, -- which account was used last
    message_id           text not null,
    confidential         boolean not null default false, -- carries a decision link: message and values are sealed
    values               jsonb, -- of a message without event
    sealed_values        bytea,
    words                jsonb, -- in place of the stored or built-in text: a sample from the editor
    reply_to             text not null default '',
    return_path          text not null default '',
    confirmation         text not null default '',
    headers              jsonb,
    tries                integer not null default 0, -- attempts that were begun
    attempts             integer not null default 0, -- those that count
    doubts               integer not null default 0, -- how often the connection was lost after DATA
    reply                text not null default '', -- the server's last word
    fault                jsonb,
    claimed_by           uuid, -- the process that has it in hand; in no index, so that taking it is cheap
    created_at           timestamptz not null default now(),
    first_attempt_at     timestamptz,
    ended_at             timestamptz
) with (fillfactor = 85);
create index delivery_queue on delivery (route_id, priority, due_at) where waiting;
create index delivery_created on delivery (created_at desc, id desc);
create index delivery_recipient on delivery (lower(recipient) text_pattern_ops, created_at desc, id desc); -- also for the beginning of an address
create index delivery_type on delivery (text_type, created_at desc, id desc);
create index delivery_account on delivery (smtp_account_id, created_at desc, id desc);
create index delivery_state on delivery (state, created_at desc, id desc) where state <> 'sent';
create index delivery_message_id on delivery (message_id);
create index delivery_event on delivery (event_id) where event_id <> 0;
create index delivery_access_request on delivery (access_request_id) where access_request_id <> 0;

-- What a digest tells of.
create table delivery_digest (
    delivery_id bigint not null,
    event_id    bigint not null,
    primary key (delivery_id, event_id)
);

-- The rendered message, so that every attempt sends the same bytes.
create table delivery_message (
    delivery_id     bigint primary key,
    smtp_account_id bigint not null, -- whose sender and addresses it has
    envelope        jsonb not null,
    raw             bytea not null -- sealed when the delivery is confidential
);

-- Mail compresses well, and lz4 costs next to nothing; a PostgreSQL that was built without it keeps its own way.
-- +goose StatementBegin
do $$
begin
    alter table delivery_message alter column raw set compression lz4;
    alter table event alter column data set compression lz4;
exception
    when feature_not_supported then null;
end
$$;
-- +goose StatementEnd

create table delivery_attempt (
    delivery_id     bigint not null,
    number          integer not null,
    smtp_account_id bigint not null,
    process_id      uuid not null,
    started_at      timestamptz not null default now(), -- stored before anything is dialled
    ended_at        timestamptz,
    outcome         text not null default '' constraint delivery_attempt_outcome check (outcome in ('', 'sent', 'retry', 'throttled', 'uncertain', 'failed', 'account')),
    step            text not null default '',
    reply           text not null default '',
    fault           jsonb,
    primary key (delivery_id, number)
);
create index delivery_attempt_open on delivery_attempt (process_id) where ended_at is null; -- what a process that died leaves behind

-- What people and other programs did with a message: paused it, read it, answered it.
create table delivery_note (
    id          bigint generated always as identity primary key,
    delivery_id bigint not null,
    at          timestamptz not null default now(),
    kind        text not null constraint delivery_note_kind check (kind in ('action', 'bounce', 'delay', 'receipt', 'reply', 'decision')),
    text        text not null,
    by          text not null default ''
);
create index delivery_note_delivery on delivery_note (delivery_id, id);

-- What all processes together know of an account that sends.
create table sender (
    smtp_account_id bigint primary key constraint sender_smtp_account references smtp_account (id) on delete cascade,
    failures        integer not null default 0, -- in a row
    broken_until    timestamptz, -- the circuit breaker: nothing is tried before
    rest_until      timestamptz, -- the server said: slow down
    strikes         integer not null default 0, -- how often it said so lately
    fault           jsonb,
    failed_at       timestamptz,
    succeeded_at    timestamptz,
    alarmed_at      timestamptz
);

-- Who holds the connections that an account may have.
create table sender_connection (
    smtp_account_id bigint not null constraint sender_connection_smtp_account references smtp_account (id) on delete cascade,
    slot            integer not null,
    process_id      uuid not null,
    taken_at        timestamptz not null default now(),
    primary key (smtp_account_id, slot)
);

-- What was sent in each second, for limits per minute.
create table sender_spending (
    smtp_account_id bigint not null constraint sender_spending_smtp_account references smtp_account (id) on delete cascade,
    second          timestamptz not null,
    messages        integer not null,
    primary key (smtp_account_id, second)
);

create table webhook_message (
    id              bigint generated always as identity primary key,
    webhook_id      bigint not null constraint webhook_message_webhook references webhook (id) on delete cascade,
    event_id        bigint not null default 0,
    notification_id bigint not null default 0,
    message_id      text not null, -- webhook-id: the same at each attempt
    type            text not null,
    body            text not null,
    state           text not null default 'queued' constraint webhook_message_state check (state in ('queued', 'retrying', 'delivered', 'failed')),
    attempts        integer not null default 0,
    created_at      timestamptz not null default now(),
    ended_at        timestamptz
);
create index webhook_message_webhook_id on webhook_message (webhook_id, id desc);
create index webhook_message_created on webhook_message (created_at);

create table webhook_attempt (
    webhook_message_id bigint not null constraint webhook_attempt_message references webhook_message (id) on delete cascade,
    number             integer not null,
    started_at         timestamptz not null default now(),
    ended_at           timestamptz,
    status             integer not null default 0, -- of HTTP
    answer             text not null default '',
    error              text not null default '',
    primary key (webhook_message_id, number)
);
