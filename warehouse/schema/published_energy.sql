-- One row: a meter, or a fuel or district cooling, in a total of a published PUE.
create table published_energy (
    publication uuid not null,
    total varchar not null,
    category tinyint not null,
    part varchar not null,
    meter_role varchar not null,
    sign tinyint not null,
    energy_wh double,
    resolution_wh double,
    accuracy_class double,
    coverage_ratio double,
    period_start_at timestamptz not null,
    period_end_at timestamptz not null,
);
comment on table published_energy is 'What a published PUE is the sum of; kept when the snapshot is forgotten.';
comment on column published_energy.part is 'A meter; a fuel or district_cooling where meter_role is carrier.';
comment on column published_energy.energy_wh is 'Of a carrier, by its weight. e_dc and e_it are the sums of sign times this.';
