-- given: the figures. $publication, $snapshot, $as_of_at, $note.
insert into published_pue by name
select
    $publication::uuid as publication,
    now() as published_at,
    $snapshot as snapshot,
    $as_of_at as as_of_at,
    $note as note,
    given.*,
from given
