-- One row: how far the lake has taken in one partition of one topic.
create table sink_offsets (
    topic varchar not null,
    topic_id varchar not null,
    partition integer not null,
    next_offset bigint not null,
);
comment on table sink_offsets is 'How far the lake has taken in each partition.';
comment on column sink_offsets.topic_id is 'Identity of the topic: a topic made anew counts from 0 again.';
comment on column sink_offsets.next_offset is 'The first offset that is not in the lake.';
