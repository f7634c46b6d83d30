-- One row: the demand that a period made on the grid, as its contract counts it: the mean power of
-- the meters of the role utility over tariff periods of demand_period_minutes (15 unless the site
-- file states others), which count from local midnight.
-- peak_kw, peak_start_at: the highest of the tariff periods that lie in the period whole and were
-- read whole, and when it began; limit_kw: demand_limit_kw, null where none is stated; peak_ratio:
-- peak over limit. mean_kw: of the same tariff periods; load_factor_ratio: mean over peak.
-- coverage_ratio: share of the whole tariff periods that was read whole. reason: why there is no
-- peak. Of the tariff period in which the window ends, in the last row: present_start_at;
-- forecast_kw: its mean power if the power last read stays until it ends; forecast_ratio: over the
-- limit. Null where a meter gave no power in its last 3 poll intervals.
create or replace macro demand(from_at, to_at, grain := 'window') as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

tariff as (
    select
        coalesce(arg_max(stated.value, stated.start_at), 15)::integer as minutes,
        coalesce((select any_value(current_site.time_zone) from current_site), 'UTC')
            as time_zone,
    from factor_values(from_at, to_at) as stated
    where stated.factor = 'demand_period_minutes'
),

slots as (
    select
        used.energy_wh,
        used.reason,
        used.period_start_at as slot_start_at,
        used.period_end_at as slot_end_at,
        tariff.minutes * 60 as whole_s,
        seconds_between(used.period_start_at, used.period_end_at) as slot_s,
        seconds_between(
            timezone(
                tariff.time_zone,
                date_trunc('day', timezone(tariff.time_zone, used.period_start_at))
            ),
            used.period_start_at
        ) % whole_s = 0 as begins_whole,
    from role_energy(
        from_at, to_at, 'utility', (select tariff.minutes || ' minutes' from tariff)
    ) as used
    cross join tariff
),

powers as (
    select
        periods.period_start_at,
        slots.slot_start_at,
        slots.reason,
        slots.energy_wh / slots.slot_s * 3.6 as mean_kw,
    from periods
    inner join slots
        on slots.slot_start_at >= periods.period_start_at
        and slots.slot_end_at <= periods.period_end_at
    where slots.slot_s = slots.whole_s
),

peaks as (
    select
        powers.period_start_at,
        max(powers.mean_kw) as peak_kw,
        arg_max(powers.slot_start_at, powers.mean_kw) as peak_start_at,
        avg(powers.mean_kw) as mean_kw,
        count(powers.mean_kw) / count(*) as coverage_ratio,
        min(powers.reason) as reason,
    from powers
    group by powers.period_start_at
),

latest as (
    select
        points.device,
        points.component,
        arg_max(usable_readings.value, usable_readings.ts) as power_w,
    from metered_points(from_at, to_at, 'utility') as points
    left join usable_readings
        on points.device = usable_readings.device
        and points.component = usable_readings.component
        and usable_readings.quantity = 'active_power_w'
        and usable_readings.ts > to_at::timestamptz - interval '1 day'
        and usable_readings.ts <= to_at::timestamptz
        and seconds_between(usable_readings.ts, to_at::timestamptz) <= 3 * points.interval_s
    group by points.device, points.component
),

present as (
    select
        slots.slot_start_at,
        slots.slot_end_at,
        (
            slots.energy_wh
            + (
                select if(count(latest.power_w) = count(*), sum(latest.power_w), null)
                from latest
            ) * (slots.whole_s - slots.slot_s) / 3600
        ) / slots.whole_s * 3.6 as forecast_kw,
    from slots
    where
        slots.slot_end_at = to_at::timestamptz
        and slots.begins_whole
),

contract as (
    select
        stated.period_start_at,
        stated.value as limit_kw,
    from period_factors(from_at, to_at, grain) as stated
    where stated.factor = 'demand_limit_kw'
),

final as (
    select
        peaks.peak_kw,
        peaks.peak_start_at,
        contract.limit_kw,
        peaks.peak_kw / contract.limit_kw as peak_ratio,
        peaks.mean_kw,
        peaks.mean_kw / nullif(peaks.peak_kw, 0) as load_factor_ratio,
        coalesce(peaks.coverage_ratio, 0) as coverage_ratio,
        case
            when peaks.period_start_at is null then 'no tariff period lies in it whole'
            when peaks.peak_kw is null then peaks.reason
        end as reason,
        present.slot_start_at as present_start_at,
        present.forecast_kw,
        present.forecast_kw / contract.limit_kw as forecast_ratio,
        periods.period_start_at,
        periods.period_end_at,
    from periods
    left join peaks using (period_start_at)
    left join contract using (period_start_at)
    left join present
        on periods.period_end_at = present.slot_end_at
)

select * from final
);
