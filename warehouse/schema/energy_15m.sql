-- One row: a run of a meter's readings in a quarter of an hour: a stretch of them of which only the
-- ends matter, or a single one.
create table energy_15m (
    quarter_at timestamptz not null,
    device varchar not null,
    component varchar not null,
    quantity varchar not null,
    kind varchar not null,
    cell_at timestamptz not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    first_value double not null,
    last_value double not null,
    quality utinyint not null,
    moved_at timestamptz,
    set_bits bigint,
    integral_wh double,
    sampling_error_wh double,
    lowest_w double,
    highest_w double,
    steps integer,
);
alter table energy_15m set sorted by (quantity, device, component, first_at);
comment on table energy_15m is 'What the energy of a meter is reckoned from, by quarter of an hour; energy() adds it up.';
comment on column energy_15m.quantity is 'energy_imported_wh or active_power_w.';
comment on column energy_15m.kind is 'run, bold, reading or spare: docs/lake.md.';
comment on column energy_15m.cell_at is 'Where the cell begins that the run or reading is of.';
comment on column energy_15m.quality is 'The worst.';
comment on column energy_15m.moved_at is 'No later than this the register came to its last value; null: it never moved.';
comment on column energy_15m.set_bits is 'Bits that are set in any value, counted in the register''s resolution.';
comment on column energy_15m.integral_wh is 'Of the power, from first_at to last_at.';
comment on column energy_15m.sampling_error_wh is 'What changes between the power readings leave open.';
