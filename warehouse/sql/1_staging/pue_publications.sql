-- One row: the PUE of a period in a category, as it was published (`busway pue --publish`).
-- published_at: when. snapshot, as_of_at: what the lake held then: asked as of that time it gives
-- the same digits, as long as the snapshot is kept. publication: tells what was published together.
-- The rest as in pue.
create or replace view pue_publications as (
    select * from published_pue
);
