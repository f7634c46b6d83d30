-- One row: what a part of the power path loses, as shares of the energy that enters it, for a time.
create table loss_bands (
    part varchar not null,
    node_patterns varchar not null,
    low_ratio double not null,
    typical_ratio double not null,
    high_ratio double not null,
    source varchar not null,
    valid_from timestamptz not null,
    valid_to timestamptz,
);
comment on table loss_bands is 'Expected losses between meters; the site file overrides the defaults.';
comment on column loss_bands.part is 'A device role, or distribution: what lies between any two meters in series.';
comment on column loss_bands.node_patterns is 'Patterns, with commas between, for the last part of the id of a node that is such a part.';
comment on column loss_bands.low_ratio is 'Loss over energy in, at least.';
comment on column loss_bands.high_ratio is 'Loss over energy in, at most.';
comment on column loss_bands.source is 'Where the figures come from.';
