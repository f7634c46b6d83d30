-- One row: the site as it was configured for a time.
create table sites (
    site varchar not null,
    time_zone varchar not null,
    provisioned_w double,
    boundary varchar,
    minimum_coverage_ratio double,
    valid_from timestamptz not null,
    valid_to timestamptz,
);
comment on table sites is 'The site as it was configured for a time.';
comment on column sites.provisioned_w is 'Contracted or nameplate power.';
comment on column sites.minimum_coverage_ratio is 'Below it no PUE is given.';
