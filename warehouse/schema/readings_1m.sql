-- One row: a minute of a quantity of a component.
create table readings_1m (
    minute_at timestamptz not null,
    device varchar not null,
    component varchar not null,
    quantity varchar not null,
    lowest double,
    highest double,
    mean double,
    last double,
    readings uinteger not null,
    worst_quality utinyint not null,
);
alter table readings_1m set sorted by (quantity, device, component, minute_at);
comment on table readings_1m is 'Readings by the minute.';
comment on column readings_1m.lowest is 'Of the good and substituted readings, as highest, mean and last; null: there is none.';
comment on column readings_1m.readings is 'All, whatever their quality.';
comment on column readings_1m.worst_quality is '0 good, 1 uncertain, 2 stale, 3 substituted, 4 bad.';
