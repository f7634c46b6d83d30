-- One row: a view or macro of Busway's that stands in this catalogue.
create table installed_sql (
    name varchar not null,
    kind varchar not null,
    layer varchar not null,
    comment varchar not null,
    text_sha256 varchar not null,
);
comment on table installed_sql is 'The views and macros of Busway''s that stand in this catalogue.';
comment on column installed_sql.kind is 'view, macro (a value) or table macro (rows).';
