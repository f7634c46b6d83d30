-- One row: a step of an energy register between two readings, judged.
-- energy_wh: what flowed, null where it cannot be told. end_value_wh: the register after it. kind:
--   normal    the register rose by what can have flowed since it last moved
--   rollover  it passed its modulus and began again from 0
--   setback   it fell by less than can flow, so the rise before was too much: negative energy
--   reset     it fell for good, to less than could have flowed: what it shows is a lower bound
--   dip, spike  readings between fell or rose beyond belief and came back: they are left out
--   lost      it jumped for good, up or down, beyond belief: the energy cannot be told
-- is_measured: the energy is known, at least as a total. is_gapless: no two readings in it are more
-- than 3 poll intervals apart. is_substituted: an end was filled in. Steps of a meter do not overlap.
create or replace macro register_steps(from_at, to_at, grain := 'window') as table (
with

points as (
    select * from metered_points(from_at, to_at)
),

readings as (
    select * from register_readings(from_at, to_at, grain)
),

followed as (
    select
        readings.*,
        lag(readings.value_wh) over in_time as previous_value_wh,
        lag(readings.quality) over in_time as previous_quality,
        lag(readings.read_at) over in_time as previous_at,
    from readings
    window in_time as (
        partition by readings.device, readings.component
        order by readings.read_at
    )
),

steps as (
    select
        followed.*,
        points.interval_s,
        points.modulus_wh,
        points.resolution_wh,
        points.power_limit_w,
        followed.value_wh - followed.previous_value_wh as rise_wh,
        -- a meter may renew its register less often than it is read; within a thinned cell the
        -- first reading stands for the last move
        coalesce(
            max(
                case
                    when followed.is_whole then followed.previous_at
                    when followed.value_wh is distinct from followed.previous_value_wh
                        then followed.read_at
                end
            ) over earlier,
            followed.previous_at
        ) as unmoved_since_at,
    from followed
    inner join points using (device, component)
    window earlier as (
        partition by followed.device, followed.component
        order by followed.read_at
        rows between unbounded preceding and 1 preceding
    )
),

bounded as (
    select
        steps.*,
        believable_step_wh(
            steps.power_limit_w,
            epoch(steps.read_at - steps.unmoved_since_at),
            steps.resolution_wh,
            steps.value_wh
        ) as most_wh,
    from steps
    where steps.previous_at is not null
),

judged as (
    select
        bounded.*,
        case
            when bounded.rise_wh between 0 and bounded.most_wh then 'normal'
            when bounded.rise_wh + bounded.modulus_wh between 0 and bounded.most_wh then 'rollover'
            when bounded.rise_wh between -bounded.most_wh and 0 and bounded.value_wh > bounded.most_wh
                then 'setback'
            when bounded.rise_wh < 0 then 'fall'
            else 'jump'
        end as shape,
    from bounded
),

breaks as (
    select
        judged.*,
        lead(judged.value_wh) over in_time as value_after_wh,
        lead(judged.read_at) over in_time as after_at,
        lead(judged.quality) over in_time as quality_after,
    from judged
    where judged.shape in ('fall', 'jump')
    window in_time as (partition by judged.device, judged.component order by judged.read_at)
),

returning_breaks as (
    select
        breaks.*,
        -- after the next break the register goes on from where it was before this one
        coalesce(
            breaks.value_after_wh - breaks.previous_value_wh between 0 and believable_step_wh(
                breaks.power_limit_w,
                epoch(breaks.after_at - breaks.unmoved_since_at),
                breaks.resolution_wh,
                breaks.value_after_wh
            ),
            false
        ) as returns,
    from breaks
),

runs as (
    select
        returning_breaks.*,
        row_number() over in_time - coalesce(
            max(case when not returning_breaks.returns then returning_breaks.position end)
                over (in_time rows between unbounded preceding and current row),
            0
        ) as nth,
    from (
        select
            returning_breaks.*,
            row_number() over (
                partition by returning_breaks.device, returning_breaks.component
                order by returning_breaks.read_at
            ) as position,
        from returning_breaks
    ) as returning_breaks
    window in_time as (
        partition by returning_breaks.device, returning_breaks.component
        order by returning_breaks.read_at
    )
),

-- of breaks that each return in the next, the first is an excursion's start, the second its end ...
excursions as (
    select
        runs.device,
        runs.component,
        if(runs.shape = 'fall', 'dip', 'spike') as kind,
        runs.value_after_wh - runs.previous_value_wh as energy_wh,
        runs.interval_s,
        greatest(runs.previous_quality, runs.quality_after) as worst_quality,
        runs.value_after_wh as end_value_wh,
        runs.previous_at as start_at,
        runs.after_at as end_at,
    from runs
    where runs.returns and runs.nth % 2 = 1
),

plain_steps as (
    select
        judged.device,
        judged.component,
        case
            when judged.shape in ('normal', 'rollover', 'setback') then judged.shape
            when judged.shape = 'fall' and judged.value_wh <= judged.most_wh then 'reset'
            else 'lost'
        end as kind,
        case
            when judged.shape in ('normal', 'setback') then judged.rise_wh
            when judged.shape = 'rollover' then judged.rise_wh + judged.modulus_wh
            when judged.shape = 'fall' and judged.value_wh <= judged.most_wh then judged.value_wh
        end as energy_wh,
        judged.interval_s,
        greatest(judged.quality, judged.previous_quality) as worst_quality,
        judged.is_whole,
        judged.value_wh as end_value_wh,
        judged.previous_at as start_at,
        judged.read_at as end_at,
    from judged
    anti join excursions
        on judged.device = excursions.device
        and judged.component = excursions.component
        and judged.read_at > excursions.start_at
        and judged.read_at <= excursions.end_at
),

all_steps as (
    select plain_steps.* from plain_steps
    union all by name
    select excursions.*, false as is_whole from excursions
),

final as (
    select
        all_steps.device,
        all_steps.component,
        all_steps.kind,
        all_steps.energy_wh,
        all_steps.end_value_wh,
        all_steps.kind not in ('reset', 'lost') as is_measured,
        all_steps.is_whole
        or epoch(all_steps.end_at - all_steps.start_at) <= 3 * all_steps.interval_s as is_gapless,
        all_steps.worst_quality > 0 as is_substituted,
        all_steps.start_at,
        all_steps.end_at,
    from all_steps
)

select * from final
);
