-- One row: one scheduled attempt to read one device, as its collector saw it end.
create table polls (
    scheduled_at timestamptz not null,
    device varchar not null,
    outcome varchar not null,
    points_expected uinteger not null,
    points_good uinteger not null,
    latency_s double,
    error varchar,
);
alter table polls set sorted by (device, scheduled_at);
comment on table polls is 'One scheduled attempt to read one device.';
comment on column polls.outcome is 'read, partial, failed or dropped.';
comment on column polls.latency_s is 'Seconds from request to answer; null where nothing was asked.';
comment on column polls.error is 'Why the poll gave less than was expected; its kind first.';
