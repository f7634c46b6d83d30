-- One row: a hall in a period: the heat that its CDUs and air handlers removed beside the
-- electricity that became heat there. Electricity of IT becomes heat: a balance that does not close
-- tells of a wrong flow, temperature or meter.
-- heat_kwh: of its units, see unit_heat; e_kwh: meters of the role it_input in the hall.
-- balance_ratio: (heat_kwh - e_kwh) / e_kwh; beyond 0.05 something is wrong, or other heat is
-- removed too (fans, losses of transformers in the hall), or is not (what no unit named carries
-- off). units: whose heat it is. coverage_ratio: mean of the units'. Null where reason says why.
create or replace macro heat_balance(from_at, to_at, grain := 'window') as table (
with

heats as (
    select
        unit_heat.hall,
        list(unit_heat.device order by unit_heat.device) as units,
        if(count(unit_heat.heat_wh) = count(*), sum(unit_heat.heat_wh), null) as heat_wh,
        avg(unit_heat.coverage_ratio) as coverage_ratio,
        string_agg(unit_heat.reason, '; ' order by unit_heat.device) as reason,
        unit_heat.period_start_at,
        unit_heat.period_end_at,
    from unit_heat(from_at, to_at, grain) as unit_heat
    where
        unit_heat.device_role in ('cdu', 'air_handler')
        and unit_heat.hall <> ''
    group by unit_heat.hall, unit_heat.period_start_at, unit_heat.period_end_at
),

loads as (
    select
        meter_energy.hall,
        sum(meter_energy.energy_wh) as energy_wh,
        list(meter_energy.meter order by meter_energy.meter) filter (
            not meter_energy.is_complete
        ) as missing_meters,
        meter_energy.period_start_at,
    from energy(from_at, to_at, grain, 'it_input') as meter_energy
    group by meter_energy.hall, meter_energy.period_start_at
),

explained as (
    select
        heats.*,
        loads.energy_wh,
        nullif(
            concat_ws(
                '; ',
                heats.reason,
                if(
                    loads.energy_wh is null,
                    'no meter of the role it_input was read in ' || heats.hall,
                    null
                ),
                if(
                    len(loads.missing_meters) > 0,
                    'too little was read of ' || named(loads.missing_meters),
                    null
                )
            ),
            ''
        ) as why,
    from heats
    left join loads using (hall, period_start_at)
),

final as (
    select
        explained.hall,
        explained.heat_wh / 1000 as heat_kwh,
        explained.energy_wh / 1000 as e_kwh,
        if(
            explained.why is null,
            (explained.heat_wh - explained.energy_wh) / nullif(explained.energy_wh, 0),
            null
        ) as balance_ratio,
        explained.units,
        explained.coverage_ratio,
        explained.why as reason,
        explained.period_start_at,
        explained.period_end_at,
    from explained
)

select * from final
);
