-- given: its boundary's terms as configured now. A row that stays as it was is left alone, one that changed is
-- closed and opened anew. valid_to is compared by equality so that DuckDB joins by hash.
merge into boundary_terms
using (
    select distinct *, $opened_at as valid_from, null::timestamptz as valid_to from given
) as configured
on
    boundary_terms.valid_to is not distinct from configured.valid_to
    and boundary_terms.boundary = configured.boundary
    and boundary_terms.total = configured.total
    and boundary_terms.category = configured.category
    and boundary_terms.meter_role = configured.meter_role
    and boundary_terms.sign = configured.sign
when not matched then insert
when not matched by source and boundary_terms.valid_to is null then update set valid_to = $closed_at
