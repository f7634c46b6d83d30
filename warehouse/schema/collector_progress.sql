-- One row: how far the lake has taken in what one outbox of a collector numbered for one topic.
create table collector_progress (
    collector varchar not null,
    topic varchar not null,
    outbox varchar not null,
    last_seq bigint not null,
    missing bigint not null,
);
comment on table collector_progress is 'How far the lake has taken in each collector''s batches.';
comment on column collector_progress.outbox is 'Id of the outbox that numbered them: another outbox counts from 1 again.';
comment on column collector_progress.last_seq is 'The highest seq in the lake.';
comment on column collector_progress.missing is 'Batches whose seq never came.';
