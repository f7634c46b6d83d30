-- One row: which tables this lake has.
create table lake_format (
    version integer not null,
);
comment on table lake_format is 'The version of the lake''s tables.';
