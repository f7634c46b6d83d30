-- One row: the energy of all meters of a role in a period, for each of the roles asked for.
-- energy_wh: their sum, null where reason says why. meters: how many. coverage_ratio: mean of the
-- meters', see energy. roles: names with commas between them. grain: see buckets.
create or replace macro role_energy(from_at, to_at, roles, grain := 'window') as table (
with

asked as (
    select
        periods.*,
        asked_roles.meter_role,
    from buckets(from_at, to_at, grain) as periods
    cross join (select unnest(string_split(roles, ',')) as meter_role) as asked_roles
),

sums as (
    select
        meter_energy.meter_role,
        meter_energy.period_start_at,
        count(*) as meters,
        sum(meter_energy.energy_wh) as energy_wh,
        avg(meter_energy.coverage_ratio) as coverage_ratio,
        list(meter_energy.meter order by meter_energy.meter) filter (
            not meter_energy.is_complete
        ) as missing_meters,
    from energy(from_at, to_at, grain, roles) as meter_energy
    group by meter_energy.meter_role, meter_energy.period_start_at
),

final as (
    select
        asked.meter_role,
        coalesce(sums.meters, 0) as meters,
        if(len(coalesce(sums.missing_meters, [])) = 0, sums.energy_wh, null) as energy_wh,
        coalesce(sums.coverage_ratio, 0) as coverage_ratio,
        case
            when sums.meters is null then 'no meter has the role ' || asked.meter_role
            when len(sums.missing_meters) > 0
                then 'too little was read of ' || named(sums.missing_meters)
        end as reason,
        asked.period_start_at,
        asked.period_end_at,
    from asked
    left join sums using (meter_role, period_start_at)
)

select * from final
);
