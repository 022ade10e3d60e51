-- +goose Up
-- Most mail fits a page. Beside its row, in pieces of 2 kB, it would take three rows and three entries of an index.
alter table inbound_raw set (toast_tuple_target = 8160);
