-- One row: a section of the power tree with meters above and below, and whether what entered it in
-- the window left it, but for what is lost between. See power_tree and section_energy.
-- node: its name. in_wh, out_wh: Wh, of the meters whose energy is known. residual_wh: in less out.
-- error_wh: plus or minus, by class and resolution of all (balance_error_wh). expected_low_ratio,
-- expected_high_ratio: loss over in_wh that is expected, the bands of the parts weighted by what
-- went through them. verdict: `closes`, `loses too much`, `gains energy`, or `cannot be told` (then
-- reason). likely_fault: `sign`, `word order`, `register`, `CT ratio`, `dead`, `missing child`;
-- likely_meter: with it put right this section closes, and none that closed opens. equally_likely:
-- how many explain it as well. arithmetic: the sums, and what would put them right.
create or replace macro balance(from_at, to_at) as table (
with

ends as materialized (
    select * from section_energy(from_at, to_at)
),

members as (
    select * from ends where ends.meter is not null
),

sums as (
    select
        members.section,
        list(members.meter order by members.meter) filter (members.end_kind = 'upstream')
            as upstream_meters,
        list(members.meter order by members.meter) filter (members.end_kind = 'downstream')
            as downstream_meters,
        coalesce(
            list(distinct members.meter order by members.meter) filter (not members.is_complete),
            []
        ) as missing_meters,
        list_sort(list(distinct members.between_parts)).array_to_string(' or ') as between_parts,
        sum(if(members.end_kind = 'upstream', members.sign * members.energy_wh, 0)) as in_wh,
        sum(if(members.end_kind = 'downstream', members.energy_wh, 0)) as out_wh,
        sum(members.resolution_wh) as resolution_wh,
        sum(members.accuracy_wh) as accuracy_wh,
        sum(power(members.accuracy_wh, 2)) as accuracy_squares,
        avg(members.coverage_ratio) as coverage_ratio,
        -- where nothing went through any, each counts the same
        sum(greatest(members.energy_wh, 1e-9) * members.low_ratio)
        / sum(if(members.low_ratio is null, 0, greatest(members.energy_wh, 1e-9))) as low_ratio,
        sum(greatest(members.energy_wh, 1e-9) * members.typical_ratio)
        / sum(if(members.low_ratio is null, 0, greatest(members.energy_wh, 1e-9)))
            as typical_ratio,
        sum(greatest(members.energy_wh, 1e-9) * members.high_ratio)
        / sum(if(members.low_ratio is null, 0, greatest(members.energy_wh, 1e-9))) as high_ratio,
    from members
    group by members.section
),

unmetered as (
    select
        ends.section,
        list(ends.place order by ends.place) filter (ends.end_kind = 'load') as loads,
        list(ends.place order by ends.place) filter (ends.end_kind = 'supply') as supplies,
    from ends
    where ends.meter is null
    group by ends.section
),

sections as materialized (
    select
        sums.*,
        coalesce(unmetered.loads, []) as loads,
        coalesce(unmetered.supplies, []) as supplies,
        sums.in_wh - sums.out_wh as residual_wh,
        balance_error_wh(sums.resolution_wh, sums.accuracy_wh, sums.accuracy_squares) as error_wh,
        case
            when residual_wh < sums.low_ratio * sums.in_wh - error_wh then 'gains energy'
            when residual_wh > sums.high_ratio * sums.in_wh + error_wh then 'loses too much'
            else 'closes'
        end as finding,
    from sums
    left join unmetered using (section)
),

judged as materialized (
    select
        sections.*,
        case
            when len(sections.missing_meters) > 0
                then len(sections.missing_meters) || ' of the meters gave too little: '
                || shortened(sections.missing_meters)
            when sections.low_ratio is null
                then 'the lake''s table loss_bands has no band for distribution'
            when sections.finding = 'gains energy' and len(sections.supplies) > 0
                then 'it is also fed without a meter, by ' || shortened(sections.supplies)
            when sections.finding = 'loses too much' and len(sections.loads) > 0
                then 'it also feeds what has no meter: ' || shortened(sections.loads)
            when sections.finding = 'closes' and sections.error_wh > 0.1 * abs(sections.in_wh)
                then 'the meters are off by up to ' || as_kwh(sections.error_wh)
                || ' together, more than a tenth of what entered: ask for a longer window'
        end as reason,
        if(reason is null, sections.finding, 'cannot be told') as verdict,
    from sections
),

suspicions as materialized (
    select *
    from meter_suspicions(
        from_at,
        to_at,
        (
            select
                list(distinct {
                    'meter': members.meter,
                    'device': members.place,
                    'component': members.component,
                    'energy_wh': members.energy_wh,
                    'resolution_wh': members.resolution_wh,
                    'is_complete': members.is_complete
                })
            from members
            inner join judged using (section)
            where
                judged.verdict in ('gains energy', 'loses too much')
                or (len(judged.missing_meters) = 1 and not members.is_complete)
        )
    )
),

-- where a dead meter is, it must have counted what closes the section
put_right as (
    select
        suspicions.* exclude (corrected_wh),
        members.section,
        coalesce(
            suspicions.corrected_wh,
            case members.end_kind
                when 'upstream'
                    then judged.out_wh / (1 - judged.typical_ratio)
                    - judged.in_wh + members.energy_wh
                else judged.in_wh * (1 - judged.typical_ratio)
                    - judged.out_wh + members.energy_wh
            end
        ) as corrected_wh,
        members.energy_wh,
    from suspicions
    inner join members using (meter)
    inner join judged using (section)
    where judged.verdict <> 'closes'
),

-- every section of the meter, with the meter put right
tried as (
    select
        put_right.*,
        members.section as other_section,
        judged.verdict as verdict_before,
        len(judged.missing_meters) - (not members.is_complete)::integer as others_missing,
        put_right.corrected_wh - put_right.energy_wh as more_wh,
        judged.in_wh
        + if(members.end_kind = 'upstream', members.sign * more_wh, 0) as new_in_wh,
        judged.out_wh + if(members.end_kind = 'downstream', more_wh, 0) as new_out_wh,
        -- the class is of what should have been counted
        if(
            members.accuracy_wh > 0, members.accuracy_wh * put_right.corrected_wh
            / put_right.energy_wh, 0
        ) as new_accuracy_wh,
        balance_error_wh(
            judged.resolution_wh
            + members.resolution_wh
            * greatest(put_right.corrected_wh / nullif(put_right.energy_wh, 0) - 1, 0),
            judged.accuracy_wh - members.accuracy_wh + new_accuracy_wh,
            greatest(
                judged.accuracy_squares - power(members.accuracy_wh, 2)
                + power(new_accuracy_wh, 2),
                0
            )
        ) as new_error_wh,
        new_in_wh - new_out_wh as new_residual_wh,
        new_residual_wh
        between judged.low_ratio * new_in_wh - new_error_wh
        and judged.high_ratio * new_in_wh + new_error_wh as closes,
        new_residual_wh - judged.typical_ratio * new_in_wh as off_wh,
    from put_right
    inner join members using (meter)
    inner join judged on members.section = judged.section
    where put_right.corrected_wh > 0
),

explained as materialized (
    select
        tried.section,
        tried.meter,
        tried.rank,
        tried.fault,
        tried.arithmetic,
        tried.corrected_wh,
        tried.energy_wh,
        count(*) filter (
            tried.closes and tried.verdict_before <> 'closes' and tried.others_missing = 0
        ) as sections_closed,
        max(abs(tried.off_wh)) filter (tried.other_section = tried.section) as off_wh,
    from tried
    group by all
    having
        bool_and(tried.closes) filter (tried.other_section = tried.section)
        and bool_and(tried.others_missing = 0) filter (tried.other_section = tried.section)
        and bool_and(tried.closes or tried.verdict_before <> 'closes')
),

peers as materialized (
    select members.*
    from members
    semi join explained using (section)
),

-- what others of its role took there
siblings as (
    select
        suspect.section,
        suspect.meter,
        median(others.energy_wh) as usual_wh,
        count(*) as meters,
    from peers as suspect
    semi join explained using (section, meter)
    inner join peers as others using (section, end_kind, meter_role)
    where suspect.meter <> others.meter and others.energy_wh > 0
    group by suspect.section, suspect.meter
),

ranked as (
    select
        explained.*,
        abs(ln(explained.corrected_wh / siblings.usual_wh)) as unlike_siblings,
        -- no likely fault, that made it like two others and more
        coalesce(
            siblings.meters > 1
            and unlike_siblings
            > abs(ln(nullif(greatest(explained.energy_wh, 0), 0) / siblings.usual_wh)) + 0.25,
            false
        ) as was_like_siblings,
    from explained
    left join siblings using (section, meter)
    union all
    select
        judged.section,
        null,
        6,
        'missing child',
        as_kwh(judged.residual_wh - judged.typical_ratio * judged.in_wh)
        || ' are missing, like one more beside the ' || count(*)
        || ' below, of which the middle one took ' || as_kwh(median(members.energy_wh)),
        judged.residual_wh - judged.typical_ratio * judged.in_wh,
        0,
        1,
        0,
        null,
        false,
    from judged
    inner join members using (section)
    where
        judged.verdict = 'loses too much'
        and members.end_kind = 'downstream'
        and members.energy_wh > members.resolution_wh
    group by
        judged.section, judged.residual_wh, judged.typical_ratio, judged.in_wh, judged.high_ratio
    having
        count(*) >= 2
        and judged.residual_wh - judged.typical_ratio * judged.in_wh
        between 0.7 * median(members.energy_wh) and 1.3 * median(members.energy_wh)
),

-- of a meter only the best way
ways as (
    select ranked.*
    from ranked
    qualify row_number() over (
        partition by ranked.section, ranked.meter
        order by
            ranked.sections_closed desc, ranked.was_like_siblings, ranked.rank, ranked.off_wh
    ) = 1
),

best as (
    select ways.*
    from ways
    qualify rank() over (
        partition by ways.section
        order by ways.sections_closed desc, ways.was_like_siblings, ways.rank
    ) = 1
),

likely as (
    select
        best.section,
        any_value(best.fault) as likely_fault,
        arg_min(best.meter, (coalesce(best.unlike_siblings, 0), best.off_wh)) as likely_meter,
        count(*) as equally_likely,
        string_agg(
            coalesce(best.meter || ': ', '') || best.arithmetic
            || if(
                best.fault = 'missing child',
                '',
                '; with ' || as_kwh(best.corrected_wh) || ' it closes'
            ),
            '; or ' order by coalesce(best.unlike_siblings, 0), best.off_wh
        ) as arithmetic,
    from best
    group by best.section
),

final as (
    select
        shortened(judged.upstream_meters) || ' to '
        || if(
            len(judged.downstream_meters) = 1,
            judged.downstream_meters[1],
            len(judged.downstream_meters) || ' meters'
        ) as node,
        judged.upstream_meters,
        judged.downstream_meters,
        judged.between_parts,
        judged.in_wh,
        judged.out_wh,
        judged.residual_wh,
        judged.residual_wh / nullif(judged.in_wh, 0) as residual_ratio,
        judged.error_wh,
        judged.low_ratio as expected_low_ratio,
        judged.high_ratio as expected_high_ratio,
        judged.verdict,
        judged.reason,
        likely.likely_fault,
        likely.likely_meter,
        as_kwh(judged.in_wh) || ' in - ' || as_kwh(judged.out_wh) || ' out = '
        || as_kwh(judged.residual_wh) || '; expected '
        || as_kwh(judged.low_ratio * judged.in_wh) || ' to '
        || as_kwh(judged.high_ratio * judged.in_wh) || ', +- ' || as_kwh(judged.error_wh)
        || coalesce('; ' || likely.arithmetic, '') as arithmetic,
        coalesce(likely.equally_likely, 0) as equally_likely,
        judged.missing_meters,
        judged.loads || judged.supplies as unmetered,
        judged.coverage_ratio,
        from_at::timestamptz as period_start_at,
        to_at::timestamptz as period_end_at,
    from judged
    left join likely using (section)
)

select * from final
);
