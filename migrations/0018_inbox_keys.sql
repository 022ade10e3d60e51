-- +goose Up
-- Mail comes in by the thousand, and a foreign key asks about the account for each message anew. The storing
-- transaction holds the state of the mailbox, which goes with the account, so that the account is there. What the
-- keys did when an account is deleted one statement does: after the state has gone, when nobody stores any more.

-- +goose StatementBegin
create function forget_inbound() returns trigger language plpgsql as $$
begin
    delete from inbound_message where mailbox_account_id in (select id from gone);
    delete from inbound_content where mailbox_account_id in (select id from gone);
    return null;
end $$;
-- +goose StatementEnd
create trigger mailbox_account_gone after delete on mailbox_account
    referencing old table as gone for each statement execute function forget_inbound();

alter table inbound_message drop constraint inbound_message_account;
alter table inbound_content drop constraint inbound_content_account;
