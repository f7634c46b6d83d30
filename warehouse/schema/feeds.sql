-- One row: one step of the power path for a time.
create table feeds (
    source varchar not null,
    target varchar not null,
    valid_from timestamptz not null,
    valid_to timestamptz,
);
comment on table feeds is 'One step of the power path: source feeds target.';
