-- One row: a local day that stands in energy_1d, or a local month that stands in energy_1mo.
create table rolled_periods (
    grain varchar not null,
    start_at timestamptz not null,
    end_at timestamptz not null,
    rollings bigint not null,
);
comment on table rolled_periods is 'Local days and months that stand in energy_1d and energy_1mo.';
comment on column rolled_periods.grain is 'day or month.';
comment on column rolled_periods.rollings is 'Rows of rolled_quarters for it then; if there are others now, it stands there no longer as it is.';
