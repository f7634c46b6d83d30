-- One row: a step of an energy register between two readings, judged.
-- energy_wh: what flowed, null where it cannot be told. end_wh: the register after it. set_bits:
-- as in register_runs, of the readings it leads to. kind:
--   normal    the register rose by what can have flowed since it last moved
--   rollover  it passed its modulus and began again from 0
--   setback   it fell by less than can flow, so the rise before was too much: negative energy
--   reset     it fell for good, to less than could have flowed: what it shows is a lower bound
--   dip, spike  readings between fell or rose beyond belief and came back: they are left out
--   lost      it jumped for good, up or down, beyond belief: the energy cannot be told
-- is_measured: the energy is known, at least as a total. is_gapless: no two readings in it are
-- more than 3 poll intervals apart. is_substituted: an end was filled in. Steps of a meter do not
-- overlap.
create or replace macro register_steps(
    from_at, to_at, grain := 'window', roles := 'all', basis := 'roll-ups'
) as table (
with

runs as (
    select * from register_runs(from_at, to_at, grain, roles, basis)
),

followed as (
    select
        runs.*,
        lag(runs.last_wh) over in_time as previous_wh,
        lag(runs.worst_quality) over in_time as previous_quality,
        lag(runs.last_at) over in_time as previous_at,
        coalesce(
            runs.moved_at,
            if(
                runs.first_wh is distinct from lag(runs.last_wh) over in_time,
                runs.first_at,
                null
            )
        ) as arrived_at,
    from runs
    window in_time as (partition by runs.point order by runs.first_at)
),

steps as (
    select
        followed.*,
        followed.first_wh - followed.previous_wh as rise_wh,
        -- a meter may renew its register less often than it is read
        max(followed.arrived_at) over (
            partition by followed.point
            order by followed.first_at
            rows between unbounded preceding and 1 preceding
        ) as unmoved_since_at,
    from followed
),

bounded as (
    select
        steps.*,
        believable_step_wh(
            steps.power_limit_w,
            seconds_between(steps.unmoved_since_at, steps.first_at),
            steps.resolution_wh,
            steps.first_wh
        ) as most_wh,
        believable_step_wh(
            steps.power_limit_w,
            seconds_between(steps.previous_at, steps.first_at),
            steps.resolution_wh,
            steps.first_wh
        ) as most_since_previous_wh,
    from steps
    where steps.previous_at is not null
),

judged as (
    select
        bounded.*,
        case
            when bounded.rise_wh between 0 and bounded.most_since_previous_wh then 'normal'
            when bounded.rise_wh between 0 and bounded.most_wh then 'late'
            when bounded.rise_wh + bounded.modulus_wh between 0 and bounded.most_wh then 'rollover'
            when bounded.rise_wh > 0 then 'jump'
            when bounded.first_wh <= bounded.most_wh then 'reset'
            when bounded.rise_wh >= -bounded.most_wh then 'setback'
            else 'fall'
        end as shape,
    from bounded
),

breaks as (
    select
        judged.*,
        row_number() over in_time as position,
        lead(judged.first_wh) over in_time as after_wh,
        lead(judged.first_at) over in_time as after_at,
        lead(judged.worst_quality) over in_time as quality_after,
        -- after the next break the register goes on from where it was before this one
        judged.shape <> 'late' and coalesce(
            after_wh - judged.previous_wh between 0 and believable_step_wh(
                judged.power_limit_w,
                seconds_between(judged.unmoved_since_at, after_at),
                judged.resolution_wh,
                after_wh
            ),
            false
        ) as returns,
    from judged
    where judged.shape in ('late', 'jump', 'reset', 'fall')
    window in_time as (partition by judged.point order by judged.first_at)
),

-- of several in a row that return, the first begins an excursion, the second ends it, and so on
counted_breaks as (
    select
        breaks.*,
        breaks.position - max(if(breaks.returns, 0, breaks.position)) over (
            partition by breaks.point
            order by breaks.position
        ) as nth_to_return,
    from breaks
),

excursions as (
    select
        counted_breaks.* exclude (shape, worst_quality),
        if(counted_breaks.shape = 'jump', 'spike', 'dip') as kind,
        greatest(counted_breaks.previous_quality, counted_breaks.quality_after) as worst_quality,
    from counted_breaks
    where counted_breaks.nth_to_return % 2 = 1
),

plain_steps as (
    select judged.*
    from judged
    anti join excursions
        on judged.point = excursions.point
        and judged.first_at > excursions.previous_at
        and judged.first_at <= excursions.after_at
),

plain_runs as (
    select runs.*
    from runs
    anti join excursions
        on runs.point = excursions.point
        and runs.last_at > excursions.previous_at
        and runs.first_at < excursions.after_at
    where runs.last_at > runs.first_at
),

all_steps as (
    select
        plain_runs.device,
        plain_runs.component,
        'normal' as kind,
        plain_runs.last_wh - plain_runs.first_wh as energy_wh,
        plain_runs.last_wh as end_wh,
        plain_runs.set_bits,
        true as is_gapless,
        plain_runs.worst_quality,
        plain_runs.first_at as start_at,
        plain_runs.last_at as end_at,
    from plain_runs
    union all
    select
        plain_steps.device,
        plain_steps.component,
        case
            when plain_steps.shape in ('jump', 'fall') then 'lost'
            when plain_steps.shape = 'late' then 'normal'
            else plain_steps.shape
        end,
        case plain_steps.shape
            when 'rollover' then plain_steps.rise_wh + plain_steps.modulus_wh
            when 'reset' then plain_steps.first_wh
            when 'jump' then null
            when 'fall' then null
            else plain_steps.rise_wh
        end,
        plain_steps.first_wh,
        plain_steps.set_bits,
        seconds_between(plain_steps.previous_at, plain_steps.first_at)
        <= 3 * plain_steps.interval_s,
        greatest(plain_steps.worst_quality, plain_steps.previous_quality),
        plain_steps.previous_at,
        plain_steps.first_at,
    from plain_steps
    union all
    select
        excursions.device,
        excursions.component,
        excursions.kind,
        excursions.after_wh - excursions.previous_wh,
        excursions.after_wh,
        null,
        seconds_between(excursions.previous_at, excursions.after_at) <= 3 * excursions.interval_s,
        excursions.worst_quality,
        excursions.previous_at,
        excursions.after_at,
    from excursions
),

final as (
    select
        all_steps.* exclude (worst_quality),
        all_steps.kind not in ('reset', 'lost') as is_measured,
        all_steps.worst_quality > 0 as is_substituted,
    from all_steps
)

select * from final
);
