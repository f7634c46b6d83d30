-- One row: how far the lake has taken in one collector's batches of one topic.
create table collector_progress (
    collector varchar not null,
    topic varchar not null,
    last_seq bigint not null,
    missing bigint not null,
);
comment on table collector_progress is 'How far the lake has taken in each collector''s batches.';
comment on column collector_progress.last_seq is 'The highest seq in the lake.';
comment on column collector_progress.missing is 'Batches whose seq never came.';
