-- One row: an outbox of a collector of whose batches some never reached the lake, whatever the
-- window.
create or replace macro no_batch_is_missing(from_at, to_at) as table (
with

final as (
    select *
    from batch_progress
    where batch_progress.missing > 0
)

select * from final
);
