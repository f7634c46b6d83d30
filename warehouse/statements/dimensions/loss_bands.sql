-- given: its loss bands as configured now. A row that stays as it was is left alone, one that changed is
-- closed and opened anew. valid_to is compared by equality so that DuckDB joins by hash.
merge into loss_bands
using (
    select distinct *, $opened_at as valid_from, null::timestamptz as valid_to from given
) as configured
on
    loss_bands.valid_to is not distinct from configured.valid_to
    and loss_bands.part = configured.part
    and loss_bands.node_patterns = configured.node_patterns
    and loss_bands.low_ratio = configured.low_ratio
    and loss_bands.typical_ratio = configured.typical_ratio
    and loss_bands.high_ratio = configured.high_ratio
    and loss_bands.source = configured.source
when not matched then insert
when not matched by source and loss_bands.valid_to is null then update set valid_to = $closed_at
