-- One row: one value of one part of one device at one time.
create table readings (
    ts timestamptz not null,
    device varchar not null,
    component varchar not null,
    quantity varchar not null,
    value double,
    quality utinyint not null,
);
alter table readings set sorted by (quantity, device, component, ts);
comment on table readings is 'One value of one part of one device at one time.';
comment on column readings.ts is 'When the device was sampled, UTC.';
comment on column readings.component is 'Part of the device; empty for the device itself.';
comment on column readings.value is 'In the unit of its quantity; null where there is none.';
comment on column readings.quality is '0 good, 1 uncertain, 2 stale, 3 substituted, 4 bad.';
