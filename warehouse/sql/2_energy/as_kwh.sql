-- A value: an energy given in Wh as a text in kWh, for a person to read.
create or replace macro as_kwh(energy_wh) as (
    format('{:,.3f} kWh', energy_wh / 1000)
);
