-- One row: a run of a meter's readings in a local day, see the table energy_1d.
create or replace view day_runs as (
    select energy_1d.*,
    from energy_1d
);
