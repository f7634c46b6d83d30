-- One row: the PUE of a period in a category, as it was published.
create table published_pue (
    publication uuid not null,
    published_at timestamptz not null,
    snapshot bigint not null,
    as_of_at timestamptz not null,
    note varchar not null,
    boundary varchar,
    category tinyint not null,
    name varchar not null,
    e_dc_kwh double,
    e_it_kwh double,
    e_carriers_kwh double,
    pue_ratio double,
    accuracy_band_ratio double,
    resolution_band_ratio double,
    coverage_ratio double,
    missing_meters varchar[],
    reason varchar,
    interval_s double not null,
    period_start_at timestamptz not null,
    period_end_at timestamptz not null,
);
comment on table published_pue is 'PUE as it was published: docs/lake.md, what was published.';
comment on column published_pue.publication is 'Tells what was published together.';
comment on column published_pue.snapshot is 'The lake''s snapshot that it was reckoned from.';
comment on column published_pue.as_of_at is 'When that snapshot was made: busway pue --as-of gives the same digits.';
