-- +goose Up
-- Access requests: who asks, who decides, and what was decided.

create table approver_group (
    id                      bigint generated always as identity primary key,
    name                    text not null constraint approver_group_name_not_blank check (name <> ''),
    active                  boolean not null default true,
    approval_required       boolean not null default true, -- false: access at once, the approvers are informed
    approval_in_levels      boolean not null default false,
    approvals_required      integer not null default 1 constraint approver_group_approvals check (approvals_required between 1 and 20), -- each level; without levels: in all
    rejections_to_cancel    integer not null default 1 constraint approver_group_rejections check (rejections_to_cancel between 1 and 20),
    emergency_access        boolean not null default false,
    governance_id_required  boolean not null default false,
    always_add_manager      boolean not null default false,
    validity_minutes        integer not null default 60 constraint approver_group_validity check (validity_minutes between 5 and 43200),
    approver_may_shorten    boolean not null default true,
    link_alone              boolean not null default false, -- the link decides without signing in
    relaxed_replies         boolean not null default false, -- answers by mail count without proof of their sender
    remind_after_minutes    integer not null default 0 constraint approver_group_remind check (remind_after_minutes between 0 and 43200), -- 0: never
    escalate_after_minutes  integer not null default 0 constraint approver_group_escalate check (escalate_after_minutes between 0 and 43200), -- 0: only when an address bounces
    created_at              timestamptz not null default now(),
    created_by              text not null default '',
    changed_at              timestamptz not null default now(),
    changed_by              text not null default '',
    version                 integer not null default 1
);
create unique index approver_group_name_unique on approver_group (lower(name));

-- Level 0 are those to whom a request is escalated.
create table approver_group_member (
    approver_group_id bigint not null constraint approver_group_member_group references approver_group (id) on delete cascade,
    user_id           bigint not null constraint approver_group_member_user references "user" (id) on delete cascade,
    level             smallint not null default 1 constraint approver_group_member_level check (level between 0 and 3),
    primary key (approver_group_id, user_id)
);
create index approver_group_member_user_id on approver_group_member (user_id);

-- Who decides for somebody who is away.
create table approver_deputy (
    id         bigint generated always as identity primary key,
    user_id    bigint not null constraint approver_deputy_user references "user" (id) on delete cascade,
    deputy_id  bigint not null constraint approver_deputy_deputy references "user" (id) on delete cascade,
    from_at    timestamptz not null,
    until_at   timestamptz not null,
    created_at timestamptz not null default now(),
    created_by text not null default '',
    constraint approver_deputy_other check (user_id <> deputy_id),
    constraint approver_deputy_order check (from_at < until_at)
);
create index approver_deputy_user_id on approver_deputy (user_id);

-- The group's rules are copied: a request is decided by the rules under which it was made.
create table access_request (
    id                     bigint generated always as identity primary key,
    status                 text not null default 'pending' constraint access_request_status check (status in ('pending', 'approved', 'rejected', 'cancelled', 'revoked', 'expired')),
    requester_name         text not null,
    requester_email        text not null constraint access_request_requester_email check (requester_email ~ '^[^@\s]+@[^@\s]+$'),
    requester_language     text not null default 'en',
    requester_time_zone    text not null default 'UTC',
    approver_group_id      bigint constraint access_request_group references approver_group (id) on delete set null,
    approver_group_name    text not null default '',
    device_hostname        text not null default '',
    device_ip              text not null default '',
    credential             text not null default '',
    credential_username    text not null default '',
    credential_type        text not null default '',
    action                 text not null,
    actions                text[] not null default '{}',
    reason                 text not null default '',
    justification          text not null default '',
    governance_id          text not null default '',
    emergency              boolean not null default false,
    start_at               timestamptz not null,
    end_at                 timestamptz not null,
    level                  smallint not null default 1,
    levels                 smallint not null default 1,
    approvals_required     integer not null,
    rejections_to_cancel   integer not null,
    approver_may_shorten   boolean not null,
    link_alone             boolean not null,
    relaxed_replies        boolean not null,
    remind_after_minutes   integer not null,
    escalate_after_minutes integer not null,
    expires_at             timestamptz not null,
    idempotency_key        text not null default '',
    created_at             timestamptz not null default now(),
    created_by             text not null default '',
    ended_at               timestamptz, -- when the status became what it is
    ended_by               text not null default '',
    ended_because          text not null default '',
    constraint access_request_period check (start_at < end_at)
);
create unique index access_request_idempotency_key_unique on access_request (idempotency_key) where idempotency_key <> '';
create index access_request_pending on access_request (expires_at) where status = 'pending';
create index access_request_created on access_request (created_at desc, id desc);
create index access_request_status_created on access_request (status, created_at desc, id desc);

-- Who may decide a request.
create table approver (
    id                bigint generated always as identity primary key,
    access_request_id bigint not null constraint approver_access_request references access_request (id) on delete cascade,
    user_id           bigint not null constraint approver_user references "user" (id),
    name              text not null,
    email             text not null,
    level             smallint not null default 1 constraint approver_level check (level between 0 and 3),
    language          text not null default 'en',
    time_zone         text not null default 'UTC',
    deputy_of         text not null default '', -- for whom
    notified_at       timestamptz, -- null: the level was not reached yet
    reminded_at       timestamptz,
    bounced_at        timestamptz,
    bounce_text       text not null default '',
    constraint approver_once unique (access_request_id, user_id)
);
create index approver_user_id on approver (user_id, access_request_id);

-- One decision for each approver; only "approve" and "reject" count, the rest is told elsewhere.
create table decision (
    id                bigint generated always as identity primary key,
    access_request_id bigint not null constraint decision_access_request references access_request (id) on delete cascade,
    approver_id       bigint not null constraint decision_approver references approver (id) on delete cascade,
    level             smallint not null,
    answer            text not null constraint decision_answer check (answer in ('approve', 'reject')),
    justification     text not null default '',
    way               text not null constraint decision_way check (way in ('page', 'link', 'reply')),
    decided_at        timestamptz not null default now(),
    address           text not null default '', -- where it came from
    constraint decision_once unique (approver_id)
);
create index decision_access_request_id on decision (access_request_id);

-- What a mail carries: of links and reply references only hashes are kept.
create table decision_token (
    hash        bytea primary key,
    kind        text not null constraint decision_token_kind check (kind in ('link', 'reply')),
    approver_id bigint not null constraint decision_token_approver references approver (id) on delete cascade,
    level       smallint not null,
    expires_at  timestamptz not null,
    used_at     timestamptz,
    told_at     timestamptz -- reply: when its sender was told that an answer was not accepted; once is enough
);
create index decision_token_approver_id on decision_token (approver_id);
create index decision_token_expires on decision_token (expires_at);
