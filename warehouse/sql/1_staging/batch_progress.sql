-- One row: how far the lake has taken in what one outbox of a collector numbered for one topic.
-- last_seq: the highest number in the lake. missing: batches whose number never came.
create or replace view batch_progress as (
    select
        collector_progress.collector,
        collector_progress.topic,
        collector_progress.outbox,
        collector_progress.last_seq,
        collector_progress.missing,
    from collector_progress
);
