-- One row: the grid's energy in a period times a factor that is stated for it: hour by hour where
-- the grain is an hour or more, else period by period; sums, never a mean of factors.
-- amount: sum of energy (kWh) times factor, in the unit of the factor's name less its per kWh.
-- energy_kwh: the energy. reason: why amount is null: a meter was not read, or the factor is not
-- stated for the whole of it. grain: see buckets.
create or replace macro utility_by_factor(from_at, to_at, grain := 'window') as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

hours as (
    select *
    from role_energy(
        from_at,
        to_at,
        'utility',
        case
            when grain::varchar in ('window', 'hour', 'day', 'week', 'month', 'year') then 'hour'
            else grain::varchar
        end
    )
),

stated as (
    select *
    from period_factors(
        from_at,
        to_at,
        case
            when grain::varchar in ('window', 'hour', 'day', 'week', 'month', 'year') then 'hour'
            else grain::varchar
        end
    ) as period_factors
    where
        period_factors.subject in ('grid_location', 'grid_market', 'goo', 'ppa')
        or period_factors.factor = 'grid_water_l_per_kwh'
),

factored as (
    select
        periods.period_start_at,
        periods.period_end_at,
        names.factor,
        names.subject,
        hours.energy_wh / 1000 as energy_kwh,
        hours.energy_wh / 1000 * if(stated.known_ratio > 1 - 1e-9, stated.value, null) as amount,
        hours.reason,
        hours.period_start_at as hour_start_at,
    from periods
    inner join hours
        on hours.period_start_at >= periods.period_start_at
        and hours.period_start_at < periods.period_end_at
    cross join (select distinct stated.factor, stated.subject from stated) as names
    left join stated
        on names.factor = stated.factor
        and names.subject = stated.subject
        and hours.period_start_at = stated.period_start_at
),

final as (
    select
        factored.factor,
        factored.subject,
        if(count(factored.amount) = count(*), sum(factored.amount), null) as amount,
        if(count(factored.energy_kwh) = count(*), sum(factored.energy_kwh), null) as energy_kwh,
        case
            when count(factored.energy_kwh) < count(*)
                then 'utility: ' || min(factored.reason)
            when count(factored.amount) < count(*)
                then concat_ws(' of ', factored.factor, nullif(factored.subject, ''))
                || ' is not stated for ' || (count(*) - count(factored.amount)) || ' of '
                || count(*) || ' hours, first '
                || strftime(
                    min(factored.hour_start_at) filter (factored.amount is null),
                    '%Y-%m-%d %H:%M%z'
                )
        end as reason,
        factored.period_start_at,
        factored.period_end_at,
    from factored
    group by
        factored.factor, factored.subject, factored.period_start_at, factored.period_end_at
)

select * from final
);
