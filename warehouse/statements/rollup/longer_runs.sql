-- $periods: {start_at, end_at} of local days or months that are rolled up. Their rows, sorted, made of
-- those of the quarters from $quarters_from up to $quarters_to, or of the days from $days_from up to
-- $days_to: runs that plainly follow each other become one, which is reckoned with as they would be
-- one by one. None goes on past a time at which a meter changes.
with

periods as materialized (
    select unnest($periods, recursive := true)
),

shorter_runs as (
    select quarter_runs.* exclude (quarter_at)
    from quarter_runs
    where quarter_runs.quarter_at >= $quarters_from and quarter_runs.quarter_at < $quarters_to
    union all
    select day_runs.* exclude (day_at)
    from day_runs
    where day_runs.day_at >= $days_from and day_runs.day_at < $days_to
),

edges as (
    select unnest([meter_versions.valid_from_at, meter_versions.valid_to_at]) as edge_at
    from meter_versions
),

edge_quarters as (
    select
        quarter_of(edges.edge_at) as quarter_at,
        bool_or(edges.edge_at <> quarter_of(edges.edge_at)) as is_cut,
    from edges
    where isfinite(edges.edge_at)
    group by quarter_of(edges.edge_at)
),

facts as materialized (
    select
        periods.start_at,
        meter_versions.device,
        meter_versions.component,
        arg_max(meter_versions.power_limit_w, meter_versions.valid_from_at) as power_limit_w,
        arg_max(meter_versions.resolution_wh, meter_versions.valid_from_at) as resolution_wh,
        arg_max(device_versions.interval_s, device_versions.valid_from_at) as interval_s,
    from periods
    inner join meter_versions
        on meter_versions.valid_from_at < periods.end_at
        and meter_versions.valid_to_at > periods.start_at
    inner join device_versions
        on meter_versions.device = device_versions.device
        and device_versions.valid_from_at < periods.end_at
        and device_versions.valid_to_at > periods.start_at
    group by periods.start_at, meter_versions.device, meter_versions.component
),

ours as (
    select
        periods.start_at,
        shorter_runs.*,
        facts.* exclude (start_at, device, component),
        edge_quarters.quarter_at is not null as has_edge,
        coalesce(edge_quarters.is_cut, false) as is_cut,
    from shorter_runs
    inner join periods
        on shorter_runs.first_at >= periods.start_at
        and shorter_runs.first_at < periods.end_at
    inner join facts
        on periods.start_at = facts.start_at
        and shorter_runs.device = facts.device
        and shorter_runs.component = facts.component
    left join edge_quarters
        on quarter_of(shorter_runs.first_at) = edge_quarters.quarter_at
),

bold_cells as (
    select distinct ours.device, ours.component, ours.cell_at
    from ours
    where ours.kind = 'bold'
),

spares as (
    select ours.*
    from ours
    left join bold_cells using (device, component, cell_at)
    where ours.kind = 'spare' and (ours.is_cut or bold_cells.cell_at is not null)
),

followed as (
    select
        ours.*,
        lag(ours.last_value) over in_time as previous_value,
        seconds_between(lag(ours.last_at) over in_time, ours.first_at) as step_s,
        coalesce(
            ours.kind = 'run'
            and lag(ours.kind) over in_time = 'run'
            and not ours.is_cut
            and not lag(ours.is_cut) over in_time
            and not (ours.has_edge and ours.cell_at <> lag(ours.cell_at) over in_time)
            and step_s <= 3 * ours.interval_s
            and (
                ours.quantity = 'active_power_w'
                or ours.first_value - previous_value between 0 and believable_step_wh(
                    ours.power_limit_w, step_s, ours.resolution_wh, ours.first_value
                )
            ),
            false
        ) as goes_on,
    from ours
    where ours.kind <> 'spare'
    window in_time as (
        partition by ours.start_at, ours.quantity, ours.device, ours.component
        order by ours.first_at
    )
),

numbered as (
    select
        followed.*,
        count(*) filter (not followed.goes_on) over (
            partition by followed.start_at, followed.quantity, followed.device, followed.component
            order by followed.first_at
            rows between unbounded preceding and current row
        ) as run,
    from followed
),

merged as (
    select
        numbered.start_at,
        numbered.device,
        numbered.component,
        numbered.quantity,
        any_value(numbered.kind) as kind,
        min(numbered.cell_at) as cell_at,
        min(numbered.first_at) as first_at,
        max(numbered.last_at) as last_at,
        arg_min(numbered.first_value, numbered.first_at) as first_value,
        arg_max(numbered.last_value, numbered.first_at) as last_value,
        max(numbered.quality) as quality,
        max(
            coalesce(
                numbered.moved_at,
                if(
                    numbered.goes_on and numbered.first_value <> numbered.previous_value,
                    numbered.first_at,
                    null
                )
            )
        ) filter (numbered.quantity = 'energy_imported_wh') as moved_at,
        bit_or(numbered.set_bits) as set_bits,
        sum(
            coalesce(numbered.integral_wh, 0)
            + if(
                numbered.goes_on,
                (numbered.first_value + numbered.previous_value) / 2 * numbered.step_s / 3600,
                0
            )
        ) filter (numbered.quantity = 'active_power_w') as integral_wh,
        sum(
            coalesce(numbered.sampling_error_wh, 0)
            + if(
                numbered.goes_on,
                abs(numbered.first_value - numbered.previous_value) / 2 * numbered.step_s / 3600,
                0
            )
        ) filter (numbered.quantity = 'active_power_w') as sampling_error_wh,
        min(numbered.lowest_w) as lowest_w,
        max(numbered.highest_w) as highest_w,
        sum(numbered.steps + numbered.goes_on::integer)::integer as steps,
    from numbered
    group by
        numbered.start_at, numbered.device, numbered.component, numbered.quantity, numbered.run
),

final as (
    select * from merged
    union all by name
    select
        spares.* exclude (power_limit_w, resolution_wh, interval_s, has_edge, is_cut),
    from spares
)

select *
from final
order by final.quantity, final.device, final.component, final.first_at, final.kind
