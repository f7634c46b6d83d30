-- given: what the figures are the sums of. $publication.
insert into published_energy by name
select
    $publication::uuid as publication,
    given.*,
from given
