-- One row: a way in which a meter could be wrong, and the energy it should then have counted.
-- suspects: a list of {meter, device, component, energy_wh, resolution_wh, is_complete}.
-- fault: `sign`, `word order`, `register` (not what its own power comes to, see
-- registers_agree_with_power), `CT ratio`, `dead` (corrected_wh is null: whatever closes the
-- balance). rank: the more telling fault first. arithmetic: how corrected_wh comes about.
create or replace macro meter_suspicions(from_at, to_at, suspects) as table (
with

asked as (
    select
        suspect.meter,
        suspect.device,
        suspect.component,
        suspect.energy_wh,
        suspect.resolution_wh,
        suspect.is_complete,
        seconds_between(from_at::timestamptz, to_at::timestamptz) as window_s,
    from (select unnest(suspects) as suspect) as listed
),

points as (
    select * from metered_points(from_at, to_at)
),

meters as materialized (
    select
        asked.*,
        points.resolution_wh as count_wh,
        energy_at_most_wh(points.power_limit_w, asked.window_s) as most_wh,
    from asked
    inner join points using (device, component)
),

-- by readings of whatever quality: words in the wrong order show values beyond any range
shown as materialized (
    select
        meters.meter,
        meters.count_wh,
        meters.window_s,
        all_readings.quantity,
        all_readings.value,
        all_readings.ts as read_at,
        lag(all_readings.value) over in_time as previous_value,
        seconds_between(lag(all_readings.ts) over in_time, all_readings.ts) as step_s,
    from all_readings
    inner join meters using (device, component)
    where
        all_readings.quantity in ('energy_imported_wh', 'energy_exported_wh', 'active_power_w')
        and all_readings.quality in (0, 1)
        and all_readings.ts >= from_at::timestamptz
        and all_readings.ts <= to_at::timestamptz
    window in_time as (
        partition by all_readings.device, all_readings.component, all_readings.quantity
        order by all_readings.ts
    )
),

-- over at least nine tenths of the window, and scaled to all of it
evidence as (
    select
        shown.meter,
        shown.quantity,
        any_value(shown.window_s) / nullif(sum(shown.step_s), 0) as scale,
        sum((shown.value + shown.previous_value) / 2 * shown.step_s) / 3600 * scale as integral_wh,
        (arg_max(shown.value, shown.read_at) - arg_min(shown.value, shown.read_at)) * scale
            as rise_wh,
        (
            swapped_words_wh(arg_max(shown.value, shown.read_at), any_value(shown.count_wh), 2)
            - swapped_words_wh(arg_min(shown.value, shown.read_at), any_value(shown.count_wh), 2)
        ) * scale as swapped_2_wh,
        (
            swapped_words_wh(arg_max(shown.value, shown.read_at), any_value(shown.count_wh), 4)
            - swapped_words_wh(arg_min(shown.value, shown.read_at), any_value(shown.count_wh), 4)
        ) * scale as swapped_4_wh,
    from shown
    group by shown.meter, shown.quantity
    having sum(shown.step_s) >= 0.9 * any_value(shown.window_s)
),

known as (
    select
        meters.*,
        power.integral_wh as power_wh,
        exported.rise_wh as exported_wh,
        register.swapped_2_wh,
        register.swapped_4_wh,
        -- a register that rises faster than can flow is not believed, and yet shows how much
        if(meters.is_complete, meters.energy_wh, register.rise_wh) as counted_wh,
        -- what the register and the power say of each other
        abs(power.integral_wh - counted_wh)
        <= 0.03 * abs(counted_wh) + meters.resolution_wh as power_agrees,
    from meters
    left join evidence as power
        on meters.meter = power.meter and power.quantity = 'active_power_w'
    left join evidence as exported
        on meters.meter = exported.meter and exported.quantity = 'energy_exported_wh'
    left join evidence as register
        on meters.meter = register.meter and register.quantity = 'energy_imported_wh'
),

ways as (
    select
        known.meter,
        1 as rank,
        'sign' as fault,
        case
            when known.exported_wh > 10 * abs(known.energy_wh) + known.count_wh
                then known.exported_wh
            when known.energy_wh < -known.resolution_wh then -known.energy_wh
            when known.power_wh < 0 then -known.power_wh
        end as corrected_wh,
        case
            when known.exported_wh > 10 * abs(known.energy_wh) + known.count_wh
                then 'its export register counted ' || as_kwh(known.exported_wh)
                || ', its import register ' || as_kwh(known.energy_wh)
            when known.energy_wh < -known.resolution_wh
                then 'its register ran backwards by ' || as_kwh(-known.energy_wh)
            when known.power_wh < 0
                then 'its power is negative and comes to ' || as_kwh(known.power_wh)
        end || ': current transformers reversed' as arithmetic,
    from known
    union all
    select
        known.meter,
        2,
        'word order',
        known.swapped_2_wh,
        'its register read with its 2 words swapped rose by ' || as_kwh(known.swapped_2_wh),
    from known
    union all
    select
        known.meter,
        2,
        'word order',
        known.swapped_4_wh,
        'its register read with its 4 words swapped rose by ' || as_kwh(known.swapped_4_wh),
    from known
    union all
    select
        known.meter,
        3,
        'register',
        known.power_wh,
        'its power comes to ' || as_kwh(known.power_wh) || ', its register to '
        || as_kwh(known.energy_wh) || ': scale, type or word order of the register',
    from known
    where known.is_complete and not known.power_agrees and known.power_wh > known.resolution_wh
    union all
    select
        known.meter,
        4,
        'CT ratio',
        ct_ratio_errors.factor * known.counted_wh,
        as_kwh(known.counted_wh) || ' x ' || round(ct_ratio_errors.factor, 3) || ' = '
        || as_kwh(ct_ratio_errors.factor * known.counted_wh) || ': ' || ct_ratio_errors.meaning,
    from known
    cross join ct_ratio_errors
    where coalesce(known.power_agrees, true) and known.counted_wh > known.resolution_wh
    union all
    select
        known.meter,
        5,
        'dead',
        null,
        if(known.is_complete, 'it counted nothing', 'it gave too few readings'),
    from known
    where
        not known.is_complete
        or (
            abs(known.energy_wh) <= known.resolution_wh
            and coalesce(abs(known.power_wh) <= known.resolution_wh, true)
        )
),

final as (
    select ways.*
    from ways
    inner join known using (meter)
    where
        ways.arithmetic is not null
        and (ways.fault = 'dead' or ways.corrected_wh between 0 and known.most_wh)
)

select * from final
);
