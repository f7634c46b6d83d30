-- One row: a measurement of energy, what it counts and how well, for a time.
create table meters (
    meter varchar not null,
    device varchar not null,
    component varchar not null,
    meter_role varchar not null,
    accuracy_class double not null,
    max_power_w double,
    energy_modulus_wh double,
    energy_resolution_wh double,
    valid_from timestamptz not null,
    valid_to timestamptz,
);
comment on table meters is 'A measurement of energy in the power tree: a device, or a part of it.';
comment on column meters.accuracy_class is 'Per cent of reading.';
comment on column meters.max_power_w is 'What can flow at most; bounds a believable register step.';
comment on column meters.energy_modulus_wh is 'Where the register starts again from 0; null: never, or no register.';
comment on column meters.energy_resolution_wh is 'The register''s smallest step; null: no register.';
