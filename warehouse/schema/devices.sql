-- One row: a device, what it is for and where it stood for a time.
create table devices (
    device varchar not null,
    profile varchar not null,
    device_role varchar not null,
    interval_s double not null,
    hall varchar not null,
    row varchar not null,
    rack varchar not null,
    valid_from timestamptz not null,
    valid_to timestamptz,
);
comment on table devices is 'A device, what it is for and where it stood for a time.';
comment on column devices.interval_s is 'Seconds between its scheduled polls.';
comment on column devices.valid_to is 'Null: still true.';
