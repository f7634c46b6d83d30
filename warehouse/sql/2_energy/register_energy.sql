-- One row: a part of a period for one version of a meter, and the energy its register counted in
-- it.
-- energy_wh: a step that an edge cuts is shared out evenly in time (linear interpolation).
-- measured_s, observed_s: seconds whose energy is known; and known without a gap or substitution.
-- register_step_wh: its smallest step, as stated, or as a float32 register shows it. delay_s: see
-- read_delays. error_wh: how far energy_wh can be off by the register's step, delays and the edges
-- (formula: docs/metrics.md, "Error of an energy"); what is not measured counts with the most that
-- can flow.
create or replace macro register_energy(
    from_at, to_at, grain := 'window', roles := 'all', basis := 'roll-ups'
) as table (
with

parts as (
    select * from meter_parts(from_at, to_at, grain, roles)
),

periods as (
    select * from buckets(from_at, to_at, grain)
),

points as (
    select * from metered_points(from_at, to_at, roles)
),

ranges as (
    select * from power_ranges(from_at, to_at, roles)
),

delays as (
    select * from read_delays(from_at, to_at)
),

all_steps as (
    select * from register_steps(from_at, to_at, grain, roles, basis)
),

steps as (
    select
        all_steps.*,
        seconds_between(all_steps.start_at, all_steps.end_at) as step_s,
    from all_steps
    where
        all_steps.end_at > from_at::timestamptz
        and all_steps.start_at < to_at::timestamptz
),

-- a float32 register counts in powers of two, ever coarser: the lowest bit that is ever set
seen_steps as (
    select
        steps.device,
        steps.component,
        max(steps.end_wh) * power(2.0, -23) as coarsest_float32_wh,
        bit_or(steps.set_bits) as set_bits,
    from steps
    where steps.kind = 'normal'
    group by steps.device, steps.component
),

register_grains as (
    select
        points.device,
        points.component,
        greatest(
            points.resolution_wh,
            least(
                seen_steps.coarsest_float32_wh,
                points.resolution_wh * (seen_steps.set_bits & -seen_steps.set_bits)
            )
        ) as register_step_wh,
    from points
    left join seen_steps using (device, component)
),

cut_steps as (
    select
        steps.*,
        parts.meter,
        parts.bucket,
        parts.part_start_at,
        coalesce(if(steps.is_gapless, ranges.lowest_w, null), 0) as low_w,
        coalesce(if(steps.is_gapless, ranges.highest_w, null), parts.power_limit_w) as high_w,
        greatest(seconds_between(steps.start_at, parts.part_start_at), 0) as before_s,
        greatest(seconds_between(parts.part_end_at, steps.end_at), 0) as after_s,
    from steps
    inner join periods
        on steps.start_at < periods.period_end_at
        and steps.end_at > periods.period_start_at
    inner join parts
        on periods.bucket = parts.bucket
        and steps.device = parts.device
        and steps.component = parts.component
        and steps.start_at < parts.part_end_at
        and steps.end_at > parts.part_start_at
    left join ranges
        on steps.device = ranges.device
        and steps.component = ranges.component
),

pieces as (
    select
        cut_steps.*,
        cut_steps.step_s - cut_steps.before_s - cut_steps.after_s as piece_s,
    from cut_steps
),

sums as (
    select
        pieces.meter,
        pieces.part_start_at,
        sum(pieces.energy_wh * pieces.piece_s / pieces.step_s) as energy_wh,
        sum(pieces.piece_s) filter (pieces.is_measured) as measured_s,
        sum(pieces.piece_s) filter (
            pieces.is_measured and pieces.is_gapless and not pieces.is_substituted
        ) as observed_s,
        list_distinct(list(pieces.kind) filter (pieces.kind <> 'normal')) as kinds,
        bool_or(pieces.is_measured and not pieces.is_gapless) as has_gap,
        bool_or(pieces.is_substituted) as is_substituted,
    from pieces
    group by pieces.meter, pieces.part_start_at
),

-- each edge of a part cuts one step at most
start_errors as (
    select
        pieces.meter,
        pieces.part_start_at,
        edge_error_wh(energy_wh, step_s, before_s, low_w, high_w) as error,
    from pieces
    where pieces.before_s > 0
),

end_errors as (
    select
        pieces.meter,
        pieces.part_start_at,
        edge_error_wh(energy_wh, step_s, step_s - after_s, low_w, high_w) as error,
    from pieces
    where pieces.after_s > 0
),

final as (
    select
        parts.*,
        sums.energy_wh,
        register_grains.register_step_wh,
        coalesce(delays.delay_s, 0) as delay_s,
        coalesce(sums.measured_s, 0) as measured_s,
        coalesce(sums.observed_s, 0) as observed_s,
        register_grains.register_step_wh
        + energy_at_most_wh(coalesce(ranges.highest_w, parts.power_limit_w), delays.delay_s)
        + greatest(
            coalesce(end_errors.error.most_wh, 0) - coalesce(start_errors.error.least_wh, 0),
            coalesce(start_errors.error.most_wh, 0) - coalesce(end_errors.error.least_wh, 0)
        )
        + energy_at_most_wh(parts.power_limit_w, parts.part_s - coalesce(sums.measured_s, 0))
            as error_wh,
        coalesce(sums.kinds, [])
        || if(sums.has_gap, ['gap'], [])
        || if(sums.is_substituted, ['substituted'], [])
            as flags,
    from parts
    left join sums using (meter, part_start_at)
    left join start_errors using (meter, part_start_at)
    left join end_errors using (meter, part_start_at)
    left join register_grains using (device, component)
    left join ranges using (device, component)
    left join delays using (device)
)

select * from final
);
