-- given: its power path as configured now. A row that stays as it was is left alone, one that changed is
-- closed and opened anew. valid_to is compared by equality so that DuckDB joins by hash.
merge into feeds
using (
    select distinct *, $opened_at as valid_from, null::timestamptz as valid_to from given
) as configured
on
    feeds.valid_to is not distinct from configured.valid_to
    and feeds.source = configured.source
    and feeds.target = configured.target
when not matched then insert
when not matched by source and feeds.valid_to is null then update set valid_to = $closed_at
