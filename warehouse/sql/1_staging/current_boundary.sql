-- One row: a term of the PUE boundary in force now; columns as in boundary_versions.
create or replace view current_boundary as (
    select boundary_versions.* exclude (valid_to_at),
    from boundary_versions
    where boundary_versions.valid_to_at = 'infinity'::timestamptz
);
