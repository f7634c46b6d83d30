-- given: the site as configured now. A row that stays as it was is left alone, one that changed is
-- closed and opened anew. valid_to is compared by equality so that DuckDB joins by hash.
merge into sites
using (
    select distinct *, $opened_at as valid_from, null::timestamptz as valid_to from given
) as configured
on
    sites.valid_to is not distinct from configured.valid_to
    and sites.site = configured.site
    and sites.time_zone = configured.time_zone
    and sites.provisioned_w is not distinct from configured.provisioned_w
    and sites.boundary is not distinct from configured.boundary
    and sites.minimum_coverage_ratio is not distinct from configured.minimum_coverage_ratio
when not matched then insert
when not matched by source and sites.valid_to is null then update set valid_to = $closed_at
