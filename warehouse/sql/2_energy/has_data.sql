-- One row: whether anything was read in the window, by the readings or by the roll-ups.
create or replace macro has_data(from_at, to_at) as table (
with

final as (
    select
        exists (
            select 1
            from all_readings
            where
                all_readings.ts >= from_at::timestamptz
                and all_readings.ts <= to_at::timestamptz
        )
        or exists (
            select 1
            from quarters_with_readings
            where
                quarters_with_readings.quarter_at + interval '15 minutes' > from_at::timestamptz
                and quarters_with_readings.quarter_at < to_at::timestamptz
        ) as has_data,
)

select * from final
);
