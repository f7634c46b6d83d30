-- One row: a loop of a cooling device in a period, over the polls in which it did not stand. loop:
-- chilled_water and condenser_water of a chiller, secondary and facility of a CDU, water of a
-- cooling tower, air of an air handler. supply_c, return_c: means. delta_t_k: temperature rise,
-- weighted by flow where flow was read, so that flow x delta_t_k is the heat; of condenser water
-- and towers supply is the cold side. approach_k: how near a heat exchanger comes: of a CDU supply
-- less facility supply, of tower or condenser water the water from the tower less the wet bulb that
-- the same device tells, else the mean of all that the site has. flow: mean, in the device's unit
-- (L/min; air L/s). polls; coverage_ratio: those with both temperatures, over those due. reason:
-- what is missing.
create or replace macro loops(from_at, to_at, grain := 'window') as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

site_wet_bulb as (
    select
        periods.period_start_at,
        avg(usable_readings.value) as wet_bulb_c,
    from periods
    inner join usable_readings
        on usable_readings.ts >= periods.period_start_at
        and usable_readings.ts < periods.period_end_at
    where
        usable_readings.quantity = 'wet_bulb_temperature_c'
        and usable_readings.ts >= from_at::timestamptz
        and usable_readings.ts < to_at::timestamptz
    group by periods.period_start_at
),

polls as (
    select
        cooling_polls.*,
        periods.period_start_at,
        periods.period_end_at,
    from cooling_polls(from_at, to_at) as cooling_polls
    inner join periods
        on cooling_polls.read_at >= periods.period_start_at
        and cooling_polls.read_at < periods.period_end_at
),

sides as (
    select
        polls.*,
        unnest(
            case polls.device_role
                when 'chiller' then ['chilled_water', 'condenser_water']
                when 'cdu' then ['secondary', 'facility']
                when 'cooling_tower' then ['water']
                when 'air_handler' then ['air']
                else []
            end
        ) as loop,
    from polls
),

temperatures as (
    select
        sides.device,
        sides.device_role,
        sides.hall,
        sides.loop,
        sides.interval_s,
        sides.is_running,
        sides.wet_bulb_c,
        sides.period_start_at,
        sides.period_end_at,
        case sides.loop
            when 'chilled_water' then sides.chilled_supply_c
            when 'condenser_water' then sides.condenser_supply_c
            when 'facility' then sides.facility_supply_c
            else sides.supply_c
        end as supply_c,
        case sides.loop
            when 'chilled_water' then sides.chilled_return_c
            when 'condenser_water' then sides.condenser_return_c
            when 'facility' then sides.facility_return_c
            else sides.return_c
        end as return_c,
        case sides.loop
            when 'air' then sides.air_flow_lps
            when 'facility' then sides.facility_flow_lpm
            when 'condenser_water' then null
            else sides.flow_lpm
        end as flow,
        case
            when sides.loop = 'secondary' then sides.facility_supply_c
            when sides.loop in ('condenser_water', 'water') then sides.wet_bulb_c
        end as approached_c,
    from sides
),

means as (
    select
        temperatures.device,
        temperatures.device_role,
        temperatures.hall,
        temperatures.loop,
        avg(temperatures.supply_c) filter (temperatures.is_running) as supply_c,
        avg(temperatures.return_c) filter (temperatures.is_running) as return_c,
        avg(temperatures.flow) filter (temperatures.is_running) as flow,
        coalesce(
            sum(temperatures.flow * (temperatures.return_c - temperatures.supply_c)) filter (
                temperatures.is_running
            ) / nullif(
                sum(temperatures.flow) filter (
                    temperatures.is_running
                    and temperatures.return_c is not null
                    and temperatures.supply_c is not null
                ),
                0
            ),
            avg(temperatures.return_c - temperatures.supply_c) filter (temperatures.is_running)
        ) as delta_t_k,
        avg(temperatures.supply_c - temperatures.approached_c) filter (temperatures.is_running)
            as approach_k,
        count(*) filter (temperatures.is_running) as polls,
        count(*) filter (
            temperatures.supply_c is not null and temperatures.return_c is not null
        ) * any_value(temperatures.interval_s)
        / any_value(seconds_between(temperatures.period_start_at, temperatures.period_end_at))
            as coverage_ratio,
        temperatures.period_start_at,
        temperatures.period_end_at,
    from temperatures
    group by
        temperatures.device,
        temperatures.device_role,
        temperatures.hall,
        temperatures.loop,
        temperatures.period_start_at,
        temperatures.period_end_at
),

final as (
    select
        means.device,
        means.device_role,
        means.hall,
        means.loop,
        means.supply_c,
        means.return_c,
        means.delta_t_k,
        coalesce(
            means.approach_k,
            if(
                means.loop in ('condenser_water', 'water'),
                means.supply_c - site_wet_bulb.wet_bulb_c,
                null
            )
        ) as approach_k,
        means.flow,
        means.polls,
        least(means.coverage_ratio, 1) as coverage_ratio,
        nullif(
            concat_ws(
                '; ',
                if(means.polls = 0, 'it stood all the time', null),
                if(
                    means.polls > 0 and means.supply_c is null,
                    'no supply temperature was read',
                    null
                ),
                if(
                    means.polls > 0 and means.return_c is null,
                    'no return temperature was read',
                    null
                ),
                if(
                    means.polls > 0
                    and means.loop in ('condenser_water', 'water')
                    and means.supply_c is not null
                    and means.approach_k is null
                    and site_wet_bulb.wet_bulb_c is null,
                    'no wet_bulb_temperature_c was read',
                    null
                ),
                if(
                    means.polls > 0
                    and means.loop = 'secondary'
                    and means.supply_c is not null
                    and means.approach_k is null,
                    'no facility_supply_temperature_c was read',
                    null
                )
            ),
            ''
        ) as reason,
        means.period_start_at,
        means.period_end_at,
    from means
    left join site_wet_bulb using (period_start_at)
)

select * from final
);
