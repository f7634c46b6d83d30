-- One row: a published PUE beside what it is now, and why they differ. Of the periods that the
-- window and grain give, all that was published of each.
-- published_*: as it was then; pue_ratio, e_dc_kwh, e_it_kwh: as it is now. is_restated: they
-- differ by more than 1e-9. why: late readings of which meters and how much energy they brought, a
-- corrected factor, a changed boundary; changed_at: when the latest of these came. as_of_at,
-- snapshot: see pue_publications.
create or replace macro pue_history(from_at, to_at, grain := 'window') as table (
with

now_pue as (
    select * from pue(from_at, to_at, grain)
),

published as (
    select
        publications.*,
        now_pue.pue_ratio as now_ratio,
        now_pue.e_dc_kwh as now_dc_kwh,
        now_pue.e_it_kwh as now_it_kwh,
        now_pue.reason as now_reason,
    from pue_publications as publications
    inner join now_pue using (period_start_at, period_end_at, category)
),

parts as (
    select
        coalesce(published.publication, now_parts.publication) as publication,
        coalesce(published.category, now_parts.category) as part_category,
        coalesce(published.period_start_at, now_parts.period_start_at) as period_start_at,
        coalesce(published.part, now_parts.part) as part,
        coalesce(published.meter_role, now_parts.meter_role) as meter_role,
        published.sign as published_sign,
        now_parts.sign as now_sign,
        (coalesce(now_parts.energy_wh, 0) - coalesce(published.energy_wh, 0)) / 1000 as change_kwh,
        abs(change_kwh) * 1000 > 1e-9 * greatest(
            abs(coalesce(now_parts.energy_wh, 0)), abs(coalesce(published.energy_wh, 0))
        )
        or (now_parts.energy_wh is null) <> (published.energy_wh is null) as is_other,
    from publication_parts as published
    full join (
        select
            now_parts.*,
            publications.publication,
        from boundary_parts(from_at, to_at, grain) as now_parts
        inner join (
            select distinct
                published.publication,
                published.period_start_at,
                published.period_end_at,
            from published
        ) as publications using (period_start_at, period_end_at)
    ) as now_parts using (publication, total, category, part, period_start_at, period_end_at)
),

changes as (
    select distinct
        published.publication,
        published.category,
        published.period_start_at,
        parts.part,
        case
            when parts.meter_role = 'carrier' then 'factor'
            when parts.now_sign is distinct from parts.published_sign then 'boundary'
            else 'readings'
        end as cause,
        case
            when parts.meter_role = 'carrier' then parts.part
            when parts.now_sign is null then parts.part || ' is no longer in it'
            when parts.published_sign is null then parts.part || ' is new in it'
            when cause = 'boundary' then parts.part || ' counts with the other sign'
            else parts.part
        end
        || if(parts.is_other, ' (' || printf('%+.6g', parts.change_kwh) || ' kWh)', '') as what,
    from published
    inner join parts
        on published.publication = parts.publication
        and published.period_start_at = parts.period_start_at
        and parts.part_category in (0, published.category)
    where
        parts.is_other
        or parts.now_sign is distinct from parts.published_sign
),

times as (
    select
        published.publication,
        published.category,
        published.period_start_at,
        max(quarter_arrivals.arrived_at) as arrived_at,
    from published
    inner join quarter_arrivals
        on quarter_arrivals.arrived_at > published.as_of_at
        and quarter_arrivals.quarter_at >= published.period_start_at - interval '75 minutes'
        and quarter_arrivals.quarter_at <= published.period_end_at + interval '1 hour'
    group by published.publication, published.category, published.period_start_at
),

causes as (
    select
        changes.publication,
        changes.category,
        changes.period_start_at,
        changes.cause,
        list(changes.what order by changes.what) as whats,
    from changes
    group by changes.publication, changes.category, changes.period_start_at, changes.cause
),

dated as (
    select
        causes.*,
        case causes.cause
            when 'readings' then times.arrived_at
            when 'factor' then (
                select max(factor_versions.valid_from_at) from factor_versions
            )
            else (
                select max(boundary_versions.valid_from_at) from boundary_versions
            )
        end as changed_at,
        case causes.cause
            when 'readings'
                then if(times.arrived_at is null, 'other readings of ', 'late readings of ')
            when 'factor' then 'corrected factors of '
            else 'changed boundary: '
        end || named(causes.whats) as sentence,
    from causes
    left join times using (publication, category, period_start_at)
),

reasons as (
    select
        dated.publication,
        dated.category,
        dated.period_start_at,
        string_agg(dated.sentence, '; ' order by dated.cause desc) as why,
        max(dated.changed_at) as changed_at,
    from dated
    group by dated.publication, dated.category, dated.period_start_at
),

compared as (
    select
        published.*,
        reasons.why,
        reasons.changed_at,
        coalesce(
            abs(published.now_ratio - published.pue_ratio) > 1e-9 * published.pue_ratio,
            published.now_ratio is distinct from published.pue_ratio
        )
        or reasons.why is not null as is_restated,
    from published
    left join reasons using (publication, category, period_start_at)
),

final as (
    select
        compared.boundary,
        compared.category,
        compared.name,
        compared.published_at,
        compared.pue_ratio as published_pue_ratio,
        compared.e_dc_kwh as published_e_dc_kwh,
        compared.e_it_kwh as published_e_it_kwh,
        compared.reason as published_reason,
        compared.now_ratio as pue_ratio,
        compared.now_dc_kwh as e_dc_kwh,
        compared.now_it_kwh as e_it_kwh,
        compared.now_reason as reason,
        compared.is_restated,
        if(
            compared.is_restated,
            coalesce(compared.why, 'another minimum of coverage, or other facts of meters'),
            null
        ) as why,
        compared.changed_at,
        compared.note,
        compared.as_of_at,
        compared.snapshot,
        compared.publication,
        compared.period_start_at,
        compared.period_end_at,
    from compared
)

select * from final
);
