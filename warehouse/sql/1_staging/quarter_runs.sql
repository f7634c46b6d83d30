-- One row: a run of a meter's readings in a quarter of an hour, see the table energy_15m.
create or replace view quarter_runs as (
    select energy_15m.*,
    from energy_15m
);
