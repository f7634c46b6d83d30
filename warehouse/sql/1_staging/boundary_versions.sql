-- One row: a meter role that adds to (sign +1) or subtracts from (-1) a total of a PUE boundary,
-- for a time.
-- total: e_dc (category 0) or e_it (category 1, 2, 3 of ISO/IEC 30134-2). valid_to_at: infinity
-- where still true.
create or replace view boundary_versions as (
    select
        boundary_terms.boundary,
        boundary_terms.total,
        boundary_terms.meter_role,
        boundary_terms.category,
        boundary_terms.sign,
        boundary_terms.valid_from as valid_from_at,
        coalesce(boundary_terms.valid_to, 'infinity'::timestamptz) as valid_to_at,
    from boundary_terms
);
