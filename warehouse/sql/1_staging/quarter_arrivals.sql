-- One row: something came for a quarter of an hour: readings, or a change of a meter's facts.
-- arrived_at: when the sink committed it; of what is rolled up, the latest that was taken in.
create or replace view quarter_arrivals as (
    select
        rolled_quarters.quarter_at,
        rolled_quarters.arrived_at,
    from rolled_quarters
    where rolled_quarters.arrived_at is not null
    union all
    select
        arrivals.quarter_at,
        arrivals.committed_at,
    from arrivals
);
