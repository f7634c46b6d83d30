-- One row: one change of one alert's state.
create table alerts (
    happened_at timestamptz not null,
    decided_at timestamptz not null,
    alert varchar not null,
    number bigint not null,
    rule varchar not null,
    device varchar not null,
    component varchar not null,
    quantity varchar not null,
    priority utinyint not null,
    class varchar not null,
    state varchar not null,
    previous varchar not null,
    value double,
    threshold double,
    message varchar not null,
    response varchar not null,
    owner varchar not null,
    cause varchar,
    actor varchar not null,
    until_at timestamptz,
);
alter table alerts set sorted by (alert, happened_at);
comment on table alerts is 'One change of one alert''s state.';
comment on column alerts.happened_at is 'When it happened: by the sample, or by the clock that ended a delay.';
comment on column alerts.decided_at is 'When the engine decided so.';
comment on column alerts.alert is 'Id of the rule on this part of this device, for ever the same.';
comment on column alerts.number is '1, 2, 3 ... of this alert.';
comment on column alerts.priority is '1 (act at once) to 4.';
comment on column alerts.state is 'firing, acknowledged, returned, normal, no_data, shelved, suppressed or out_of_service.';
comment on column alerts.value is 'In the unit of the quantity; null where there is none.';
comment on column alerts.response is 'What to do.';
comment on column alerts.cause is 'Alert that explains a suppressed one.';
comment on column alerts.actor is 'Who acknowledged or shelved; empty: the engine.';
comment on column alerts.until_at is 'End of a shelving.';
