-- One row: a quarter of an hour was rolled up. One that was rolled up again has several.
create table rolled_quarters (
    quarter_at timestamptz not null,
    readings bigint not null,
    arrived_at timestamptz,
    rolled_up_at timestamptz not null,
);
comment on table rolled_quarters is 'Which quarters of an hour are rolled up, and each time that one was.';
comment on column rolled_quarters.readings is 'How many there were.';
comment on column rolled_quarters.arrived_at is 'Latest commit that was taken in; null: nothing ever came.';
