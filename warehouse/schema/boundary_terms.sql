-- One row: a meter role that adds to, or subtracts from, a total of the PUE boundary.
create table boundary_terms (
    boundary varchar not null,
    total varchar not null,
    category tinyint not null,
    meter_role varchar not null,
    sign tinyint not null,
    valid_from timestamptz not null,
    valid_to timestamptz,
);
comment on table boundary_terms is 'Which meter roles make up the energy of the data centre and of its IT.';
comment on column boundary_terms.total is 'e_dc or e_it.';
comment on column boundary_terms.category is 'PUE category 1, 2 or 3 of e_it; 0 for e_dc.';
comment on column boundary_terms.sign is '+1 adds, -1 subtracts.';
