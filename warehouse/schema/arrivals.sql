-- One row: a quarter of an hour for which a commit brought something that is not in the roll-ups.
create table arrivals (
    quarter_at timestamptz not null,
    kind varchar not null,
    committed_at timestamptz not null,
    arrival uuid not null,
);
comment on table arrivals is 'Quarters of an hour that have something the roll-ups have not.';
comment on column arrivals.quarter_at is 'Where the quarter begins, by the time of the rows and not that of the commit.';
comment on column arrivals.kind is 'readings, or site: a meter changed.';
comment on column arrivals.committed_at is 'By the clock of the sink that committed.';
comment on column arrivals.arrival is 'Tells this row from all others.';
