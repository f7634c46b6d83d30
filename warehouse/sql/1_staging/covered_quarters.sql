-- One row: a quarter of an hour whose roll-up holds all that is in the lake of it.
create or replace view covered_quarters as (
    select distinct rolled_quarters.quarter_at,
    from rolled_quarters
    anti join arrivals using (quarter_at)
);
