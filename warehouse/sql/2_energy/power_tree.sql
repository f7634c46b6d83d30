-- One row: an end of a section of the power tree, as it was at a time. A section is what lies
-- between meters: whatever enters it passes a meter upstream, whatever leaves one downstream. Where
-- two feeds meet (a rack on A and B), all that is joined is one section.
-- end_kind: `upstream` or `downstream`, a meter; `load` or `supply`, a place where the power path
-- ends or begins without a meter (then meter is null). place: device or node. between: what a
-- downstream meter's energy came through, parts in series; low_ratio, typical_ratio, high_ratio:
-- what is lost there, of what entered, by loss_band_versions, `distribution` once.
-- A meter counts what leaves its device; what enters, where its role is it_input, its component is
-- called in, inlet or input, or is the whole of a device whose components are metered as well.
create or replace macro power_tree(at_time) as table (
with recursive

feeds as materialized (
    select distinct feed_versions.source, feed_versions.target
    from feed_versions
    where
        feed_versions.valid_from_at < at_time::timestamptz
        and feed_versions.valid_to_at >= at_time::timestamptz
),

bands as (
    select *
    from loss_band_versions
    where
        loss_band_versions.valid_from_at < at_time::timestamptz
        and loss_band_versions.valid_to_at >= at_time::timestamptz
),

roles as (
    select device_versions.device, device_versions.device_role
    from device_versions
    where
        device_versions.valid_from_at < at_time::timestamptz
        and device_versions.valid_to_at >= at_time::timestamptz
),

meters as materialized (
    select
        meter_versions.meter,
        meter_versions.meter_role,
        meter_versions.device,
        meter_versions.component,
        meter_versions.meter_role = 'it_input'
        or regexp_matches(meter_versions.component, '^(in|inlet|input)([^a-z]|$)')
        or (
            meter_versions.component = ''
            and count(*) over (partition by meter_versions.device) > 1
        ) as is_at_input,
    from meter_versions
    where
        meter_versions.valid_from_at < at_time::timestamptz
        and meter_versions.valid_to_at >= at_time::timestamptz
),

metered as (
    select
        meters.device as place,
        bool_or(meters.is_at_input) as has_input_meter,
        bool_or(not meters.is_at_input) as has_output_meter,
    from meters
    group by meters.device
),

names as (
    select feeds.source as place from feeds
    union
    select feeds.target from feeds
    union
    select meters.device from meters
),

node_parts as (
    select
        names.place,
        min(bands.part) as part,
    from names
    anti join roles on names.place = roles.device
    inner join (
        select bands.part, unnest(bands.node_patterns) as pattern from bands
    ) as bands on split_part(names.place, '/', -1) glob bands.pattern
    group by names.place
),

-- above, inside, below: numbers of the stretches before, in and behind a place, the same where
-- no meter parts them
places as materialized (
    select
        names.place,
        roles.device_role,
        list_filter([coalesce(bands.part, node_parts.part)], part -> part is not null) as parts,
        coalesce(metered.has_input_meter, false) as has_input_meter,
        coalesce(metered.has_output_meter, false) as has_output_meter,
        3 * row_number() over (order by names.place) as inside,
        inside - coalesce(metered.has_input_meter, false)::integer as above,
        inside + coalesce(metered.has_output_meter, false)::integer as below,
    from names
    left join roles on names.place = roles.device
    left join bands on roles.device_role = bands.part
    left join node_parts using (place)
    left join metered using (place)
),

joints as materialized (
    select source.below as one, target.above as other
    from feeds
    inner join places as source on feeds.source = source.place
    inner join places as target on feeds.target = target.place
    union
    select target.above, source.below
    from feeds
    inner join places as source on feeds.source = source.place
    inner join places as target on feeds.target = target.place
),

-- each stretch takes the smallest number that it is joined with
sections(stretch, section) using key (stretch) as (
    select stretches.stretch, stretches.stretch as section
    from (
        select places.above as stretch from places
        union
        select places.inside from places
        union
        select places.below from places
    ) as stretches
    union
    (
        select known.stretch, min(sections.section) as section
        from sections
        inner join joints on sections.stretch = joints.one
        inner join recurring.sections as known on joints.other = known.stretch
        where sections.section < known.section
        group by known.stretch
    )
),

-- down from each meter to the next: inside a place, or behind it
ways(place, is_behind, parts) as (
    select places.place, false as is_behind, places.parts
    from places
    where places.has_input_meter
    union
    select places.place, true, []::varchar[]
    from places
    where places.has_output_meter
    union
    select target.place, false, ways.parts || target.parts
    from ways
    inner join places as source on ways.place = source.place
    inner join feeds on source.place = feeds.source
    inner join places as target on feeds.target = target.place
    where
        (ways.is_behind or not source.has_output_meter)
        and not target.has_input_meter
),

arrivals as (
    select ways.place, false as is_at_input, ways.parts
    from ways
    inner join places on ways.place = places.place
    where not ways.is_behind and places.has_output_meter
    union
    select target.place, true, ways.parts
    from ways
    inner join places as source on ways.place = source.place
    inner join feeds on source.place = feeds.source
    inner join places as target on feeds.target = target.place
    where
        (ways.is_behind or not source.has_output_meter)
        and target.has_input_meter
),

lost as (
    select
        arrivals.place,
        arrivals.is_at_input,
        arrivals.parts,
        sum(bands.low_ratio) as low_ratio,
        sum(bands.typical_ratio) as typical_ratio,
        sum(bands.high_ratio) as high_ratio,
    from arrivals
    cross join lateral (
        select unnest(['distribution'] || arrivals.parts) as part
    ) as in_series
    inner join bands on in_series.part = bands.part
    group by arrivals.place, arrivals.is_at_input, arrivals.parts
),

losses as (
    select
        'downstream' as end_kind,
        lost.place,
        lost.is_at_input,
        list_sort(list(
            distinct coalesce(nullif(array_to_string(lost.parts, ' + '), ''), 'distribution')
        )).array_to_string(' or ') as between_parts,
        min(lost.low_ratio) as low_ratio,
        avg(lost.typical_ratio) as typical_ratio,
        max(lost.high_ratio) as high_ratio,
    from lost
    group by lost.place, lost.is_at_input
),

ends as (
    select
        'upstream' as end_kind,
        if(meters.is_at_input, places.inside, places.below) as stretch,
        places.place,
        places.device_role,
        meters.* exclude (device),
    from meters
    inner join places on meters.device = places.place
    union all
    select
        'downstream',
        if(meters.is_at_input, places.above, places.inside),
        places.place,
        places.device_role,
        meters.* exclude (device),
    from meters
    inner join places on meters.device = places.place
    union all
    select 'load', places.inside, places.place, places.device_role, null, null, '', null
    from places
    anti join feeds on places.place = feeds.source
    where not places.has_output_meter
    union all
    select 'supply', places.inside, places.place, places.device_role, null, null, '', null
    from places
    anti join feeds on places.place = feeds.target
    where not places.has_input_meter and not places.has_output_meter
),

final as (
    select
        sections.section,
        ends.end_kind,
        ends.place,
        ends.device_role,
        ends.meter,
        ends.meter_role,
        ends.component,
        losses.between_parts,
        losses.low_ratio,
        losses.typical_ratio,
        losses.high_ratio,
    from ends
    inner join sections using (stretch)
    left join losses using (end_kind, place, is_at_input)
)

select * from final
);
