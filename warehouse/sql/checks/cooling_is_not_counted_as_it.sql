-- One row: a meter of cooling that is fed from IT power (it_fed_cooling), and a total of the
-- boundary in which it is wrong at the window's end: it lies behind meters that the category's E_IT
-- adds, and is not taken off (`counts as IT`: PUE falls for nothing); it is taken off and lies
-- behind none of them (`taken off twice`: PUE rises for nothing); or E_DC adds it, though what
-- feeds it is in E_DC (`counts twice`). Where the power path does not say what feeds it: no row.
create or replace macro cooling_is_not_counted_as_it(from_at, to_at) as table (
with recursive

meters_then as (
    select
        meter_versions.meter,
        meter_versions.meter_role,
        meter_versions.device,
    from meter_versions
    where
        to_at::timestamptz > meter_versions.valid_from_at
        and to_at::timestamptz <= meter_versions.valid_to_at
        and from_at::timestamptz < to_at::timestamptz
),

steps_then as (
    select
        feed_versions.source,
        feed_versions.target,
    from feed_versions
    where
        to_at::timestamptz > feed_versions.valid_from_at
        and to_at::timestamptz <= feed_versions.valid_to_at
),

upwards as (
    select
        meters_then.meter,
        meters_then.device as reached,
        0 as steps,
    from meters_then
    where meters_then.meter_role = 'it_fed_cooling'
    union
    select
        upwards.meter,
        steps_then.source,
        upwards.steps + 1,
    from upwards
    inner join steps_then
        on upwards.reached = steps_then.target
    where upwards.steps < 30
),

roles_above as (
    select
        upwards.meter,
        list(distinct meters_then.meter_role) filter (
            meters_then.meter is not null and meters_then.meter <> upwards.meter
        ) as roles,
    from upwards
    left join meters_then
        on upwards.reached = meters_then.device
    group by upwards.meter
    having max(upwards.steps) > 0
),

totals as (
    select
        boundary_versions.total,
        boundary_versions.category,
        list(boundary_versions.meter_role) filter (boundary_versions.sign > 0) as added,
        sum(boundary_versions.sign) filter (boundary_versions.meter_role = 'it_fed_cooling')
            as own_sign,
    from boundary_versions
    inner join site_versions using (boundary)
    where
        to_at::timestamptz > boundary_versions.valid_from_at
        and to_at::timestamptz <= boundary_versions.valid_to_at
        and to_at::timestamptz > site_versions.valid_from_at
        and to_at::timestamptz <= site_versions.valid_to_at
    group by boundary_versions.total, boundary_versions.category
),

judged as (
    select
        roles_above.meter,
        totals.total,
        totals.category,
        coalesce(totals.own_sign, 0) as own_sign,
        list_has_any(coalesce(roles_above.roles, []), totals.added) as is_behind,
    from roles_above
    cross join totals
),

final as (
    select
        judged.meter,
        judged.total,
        judged.category,
        case
            when judged.total = 'e_dc' and judged.own_sign > 0 and judged.is_behind
                then 'counts twice'
            when judged.total = 'e_it' and judged.own_sign >= 0 and judged.is_behind
                then 'counts as IT'
            when judged.total = 'e_it' and judged.own_sign < 0 and not judged.is_behind
                then 'taken off twice'
        end as fault,
    from judged
    where fault is not null
)

select * from final
);
