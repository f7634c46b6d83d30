-- One row: a quarter of an hour in which something was read, as the roll-ups remember it, whether
-- or not the readings are still kept.
create or replace view quarters_with_readings as (
    select distinct rolled_quarters.quarter_at
    from rolled_quarters
    where rolled_quarters.readings > 0
);
