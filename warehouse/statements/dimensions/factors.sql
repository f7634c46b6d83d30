-- given: its factors as configured now. A row that stays as it was is left alone, one that changed is
-- closed and opened anew. valid_to is compared by equality so that DuckDB joins by hash.
merge into factors
using (
    select distinct *, $opened_at as valid_from, null::timestamptz as valid_to from given
) as configured
on
    factors.valid_to is not distinct from configured.valid_to
    and factors.factor = configured.factor
    and factors.subject = configured.subject
    and factors.value is not distinct from configured.value
    and factors.text is not distinct from configured.text
    and factors.applies_from is not distinct from configured.applies_from
    and factors.applies_to is not distinct from configured.applies_to
when not matched then insert
when not matched by source and factors.valid_to is null then update set valid_to = $closed_at
