-- A value: the energy in Wh of power_w over duration_s seconds; 0 where there is no duration.
create or replace macro energy_at_most_wh(power_w, duration_s) as (
    if(duration_s > 0, power_w * duration_s / 3600, 0)
);
