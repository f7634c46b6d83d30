-- One row: a run of a meter's readings in a local month, see the table energy_1mo.
create or replace view month_runs as (
    select energy_1mo.*,
    from energy_1mo
);
