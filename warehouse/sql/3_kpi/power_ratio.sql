-- One row: the ratio of powers P_DC / P_IT at an instant, by category. Never a PUE, which is of
-- energies: it is noisy, and the cooling lags the IT by minutes.
-- p_dc_mw, p_it_mw: sums of the boundary's meters by their signs, MW, of the latest power of each
-- within 3 of its poll intervals before at_time; without fuels and district cooling.
-- power_ratio: null where reason says why. oldest_reading_at: of the readings that are in it.
-- missing_meters: those without such a reading.
create or replace macro power_ratio(at_time, category := 'all') as table (
with

site as (
    select site_versions.boundary
    from site_versions
    where
        at_time::timestamptz >= site_versions.valid_from_at
        and at_time::timestamptz < site_versions.valid_to_at
),

terms as (
    select boundary_versions.*
    from boundary_versions
    inner join site using (boundary)
    where
        at_time::timestamptz >= boundary_versions.valid_from_at
        and at_time::timestamptz < boundary_versions.valid_to_at
        and (
            boundary_versions.total = 'e_dc'
            or category::varchar in ('all', boundary_versions.category::varchar)
        )
),

meters_then as (
    select
        meter_versions.meter,
        meter_versions.meter_role,
        meter_versions.device,
        meter_versions.component,
        device_versions.interval_s,
    from meter_versions
    inner join device_versions using (device)
    where
        at_time::timestamptz >= meter_versions.valid_from_at
        and at_time::timestamptz < meter_versions.valid_to_at
        and at_time::timestamptz >= device_versions.valid_from_at
        and at_time::timestamptz < device_versions.valid_to_at
),

latest as (
    select
        usable_readings.device,
        usable_readings.component,
        arg_max(usable_readings.value, usable_readings.ts) as power_w,
        max(usable_readings.ts) as read_at,
    from usable_readings
    inner join meters_then using (device, component)
    where
        usable_readings.quantity = 'active_power_w'
        and usable_readings.ts > at_time::timestamptz - interval '1 hour'
        and usable_readings.ts <= at_time::timestamptz
        and seconds_between(usable_readings.ts, at_time::timestamptz) <= 3 * meters_then.interval_s
    group by usable_readings.device, usable_readings.component
),

sums as (
    select
        terms.total,
        terms.category,
        sum(terms.sign * latest.power_w) / 1e6 as power_mw,
        min(latest.read_at) as oldest_at,
        coalesce(
            list(meters_then.meter order by meters_then.meter) filter (
                meters_then.meter is not null and latest.power_w is null
            ),
            []
        ) as missing_meters,
        list(distinct terms.meter_role) filter (meters_then.meter is null) as empty_roles,
    from terms
    left join meters_then using (meter_role)
    left join latest using (device, component)
    group by terms.total, terms.category
),

pairs as (
    select
        it.category,
        dc.power_mw as p_dc_mw,
        it.power_mw as p_it_mw,
        least(dc.oldest_at, it.oldest_at) as oldest_reading_at,
        list_sort(list_distinct(dc.missing_meters || it.missing_meters)) as missing_meters,
        list_sort(
            list_distinct(coalesce(dc.empty_roles, []) || coalesce(it.empty_roles, []))
        ) as empty_roles,
    from sums as it
    inner join sums as dc
        on dc.total = 'e_dc'
    where it.total = 'e_it'
),

explained as (
    select
        pairs.*,
        case
            when len(pairs.empty_roles) > 0
                then 'no meter has the role ' || array_to_string(pairs.empty_roles, ', ')
            when len(pairs.missing_meters) > 0
                then 'no power was read in time of ' || named(pairs.missing_meters)
            when pairs.p_it_mw <= 0 then 'the IT power is not above 0'
        end as reason,
    from pairs
),

final as (
    select
        explained.category,
        explained.p_dc_mw,
        explained.p_it_mw,
        if(explained.reason is null, explained.p_dc_mw / explained.p_it_mw, null) as power_ratio,
        explained.oldest_reading_at,
        explained.missing_meters,
        explained.reason,
    from explained
)

select * from final
);
