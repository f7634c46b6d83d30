-- One row: the site as it is configured now; columns as in site_versions.
create or replace view current_site as (
    select site_versions.* exclude (valid_to_at),
    from site_versions
    where site_versions.valid_to_at = 'infinity'::timestamptz
);
