-- One row: a meter, or a fuel or district cooling (meter_role `carrier`), in a total of a published
-- PUE, as boundary_parts gave it then. The energies of a total, each times its sign, add up to what
-- was published.
create or replace view publication_parts as (
    select * from published_energy
);
