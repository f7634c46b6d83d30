-- One row: the site as it was configured for a time.
-- provisioned_w: contracted or nameplate power in W. minimum_coverage_ratio: below it no PUE;
-- 0.99 where the site states none.
-- valid_to_at: infinity where still true.
create or replace view site_versions as (
    select
        sites.site,
        sites.time_zone,
        sites.boundary,
        sites.provisioned_w,
        coalesce(sites.minimum_coverage_ratio, 0.99) as minimum_coverage_ratio,
        sites.valid_from as valid_from_at,
        coalesce(sites.valid_to, 'infinity'::timestamptz) as valid_to_at,
    from sites
);
