-- One row: what the inference servers of a place did in a period.
-- place: see place_of; servers of the role inference_server, where the site file places them.
-- output_tokens, prompt_tokens, requests: null where a server was not read for the site's minimum
-- coverage (missing_servers). ttft_in_slo_ratio: share of the requests whose first token came
-- within ttft_slo_s seconds; tpot_in_slo_ratio: of those whose mean time per output token was
-- within tpot_slo_s, or, of a server that has no such histogram, of the tokens that followed the
-- one before within it. Histograms count up to fixed bounds: the highest bound that is not above
-- the SLO decides, so the shares are at most too low. goodput_low_tokens, goodput_high_tokens:
-- output tokens of requests within both; two histograms do not say how often both hold: at least
-- t + p - 1 and at most the lesser of the two shares, model by model, if requests within the SLO
-- have as many tokens as others. goodput_reason: why there is none.
-- The SLOs unless asked otherwise are those of MLPerf Inference, Llama 2 70B server: 2 s, 200 ms
-- (github.com/mlcommons/inference, loadgen/mlperf.conf: llama2-70b.Server.ttft_latency = 2000,
-- llama2-70b.Server.tpot_latency = 200; its interactive scenario has 450 and 40).
create or replace macro inference_service(
    from_at, to_at, grain := 'window', scope := 'site', ttft_slo_s := 2.0, tpot_slo_s := 0.2
) as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

servers as (
    select
        periods.period_start_at,
        device_versions.device,
        place_of(
            scope, device_versions.hall, device_versions.row, device_versions.rack
        ) as place,
        device_versions.interval_s,
        seconds_between(
            greatest(device_versions.valid_from_at, periods.period_start_at),
            least(device_versions.valid_to_at, periods.period_end_at)
        ) as in_force_s,
    from periods
    inner join device_versions
        on device_versions.valid_from_at < periods.period_end_at
        and device_versions.valid_to_at > periods.period_start_at
    where
        device_versions.device_role = 'inference_server'
        and place is not null
),

counts as (
    select
        counted.*,
        regexp_replace(counted.component, '(^|/)le\.[^/]*$', '') as model,
        try_cast(regexp_extract(counted.component, '(^|/)le\.([^/]*)$', 2) as double) as bound_s,
    from inference_counts(from_at, to_at, grain) as counted
),

models as (
    select
        counts.period_start_at,
        counts.device,
        counts.model,
        max(counts.amount) filter (counts.quantity = 'output_tokens_count') as output_tokens,
        max(counts.amount) filter (counts.quantity = 'prompt_tokens_count') as prompt_tokens,
        max(counts.amount) filter (counts.quantity = 'finished_requests_count') as requests,
        max(counts.measured_s) filter (
            counts.quantity = 'output_tokens_count'
        ) as measured_s,
        max(counts.amount) filter (
            counts.quantity = 'time_to_first_token_bucket_count' and isinf(counts.bound_s)
        ) as ttft_total,
        arg_max(counts.amount, counts.bound_s) filter (
            counts.quantity = 'time_to_first_token_bucket_count' and counts.bound_s <= ttft_slo_s
        ) as ttft_within,
        max(counts.amount) filter (
            counts.quantity = 'time_per_output_token_bucket_count' and isinf(counts.bound_s)
        ) as request_total,
        arg_max(counts.amount, counts.bound_s) filter (
            counts.quantity = 'time_per_output_token_bucket_count' and counts.bound_s <= tpot_slo_s
        ) as request_within,
        max(counts.amount) filter (
            counts.quantity = 'inter_token_latency_bucket_count' and isinf(counts.bound_s)
        ) as token_total,
        arg_max(counts.amount, counts.bound_s) filter (
            counts.quantity = 'inter_token_latency_bucket_count' and counts.bound_s <= tpot_slo_s
        ) as token_within,
    from counts
    group by counts.period_start_at, counts.device, counts.model
),

shares as (
    select
        models.*,
        coalesce(models.request_total, models.token_total) as tpot_total,
        if(models.request_total is null, models.token_within, models.request_within)
            as tpot_within,
        models.ttft_within / nullif(models.ttft_total, 0) as ttft_share,
        tpot_within / nullif(tpot_total, 0) as tpot_share,
        case
            when models.output_tokens = 0 then 0
            else models.output_tokens * greatest(0, ttft_share + tpot_share - 1)
        end as low_tokens,
        case
            when models.output_tokens = 0 then 0
            when ttft_share is not null and tpot_share is not null
                then models.output_tokens * least(ttft_share, tpot_share)
        end as high_tokens,
    from models
),

server_sums as (
    select
        servers.*,
        coalesce(max(shares.measured_s), 0) as measured_s,
        sum(shares.output_tokens) as output_tokens,
        sum(shares.prompt_tokens) as prompt_tokens,
        sum(shares.requests) as requests,
        sum(shares.ttft_within) as ttft_within,
        sum(shares.ttft_total) filter (shares.ttft_within is not null) as ttft_total,
        sum(shares.tpot_within) as tpot_within,
        sum(shares.tpot_total) filter (shares.tpot_within is not null) as tpot_total,
        sum(shares.low_tokens) as low_tokens,
        sum(shares.high_tokens) as high_tokens,
        count(*) filter (
            shares.output_tokens > 0 and shares.ttft_share is null
        ) > 0 as lacks_ttft,
        count(*) filter (
            shares.output_tokens > 0 and shares.tpot_share is null
        ) > 0 as lacks_tpot,
    from servers
    left join shares using (period_start_at, device)
    group by
        servers.period_start_at,
        servers.device,
        servers.place,
        servers.interval_s,
        servers.in_force_s
),

judged as (
    select
        server_sums.*,
        -- the first and the last reading stand up to an interval away from the ends
        server_sums.output_tokens is not null
        and server_sums.measured_s + 2 * server_sums.interval_s
        >= coalesce(current_site.minimum_coverage_ratio, 0.99) * server_sums.in_force_s
            as is_complete,
    from server_sums
    left join current_site on true
),

sums as (
    select
        judged.place,
        judged.period_start_at,
        count(*) as servers,
        bool_and(judged.is_complete) as is_complete,
        list(judged.device order by judged.device) filter (
            not judged.is_complete
        ) as missing_servers,
        list(judged.device order by judged.device) filter (judged.lacks_ttft) as without_ttft,
        list(judged.device order by judged.device) filter (judged.lacks_tpot) as without_tpot,
        avg(least(judged.measured_s / judged.in_force_s, 1)) as coverage_ratio,
        sum(judged.output_tokens) as output_tokens,
        sum(judged.prompt_tokens) as prompt_tokens,
        sum(judged.requests) as requests,
        sum(judged.ttft_within) / nullif(sum(judged.ttft_total), 0) as ttft_in_slo_ratio,
        sum(judged.tpot_within) / nullif(sum(judged.tpot_total), 0) as tpot_in_slo_ratio,
        sum(judged.low_tokens) as low_tokens,
        sum(judged.high_tokens) as high_tokens,
    from judged
    group by judged.place, judged.period_start_at
),

explained as (
    select
        sums.*,
        case
            when not sums.is_complete
                then 'too little was read of ' || named(sums.missing_servers)
            when sums.without_ttft is not null
                then 'no time to first token within the SLO''s reach from '
                || named(sums.without_ttft)
            when sums.without_tpot is not null
                then 'no time per output token within the SLO''s reach from '
                || named(sums.without_tpot)
        end as goodput_reason,
    from sums
),

final as (
    select
        explained.place,
        explained.servers,
        if(explained.is_complete, explained.output_tokens, null) as output_tokens,
        if(explained.is_complete, explained.prompt_tokens, null) as prompt_tokens,
        if(explained.is_complete, explained.requests, null) as requests,
        explained.ttft_in_slo_ratio,
        explained.tpot_in_slo_ratio,
        if(explained.goodput_reason is null, explained.low_tokens, null) as goodput_low_tokens,
        if(explained.goodput_reason is null, explained.high_tokens, null) as goodput_high_tokens,
        explained.goodput_reason,
        explained.coverage_ratio,
        coalesce(explained.missing_servers, []) as missing_servers,
        periods.period_start_at,
        periods.period_end_at,
    from explained
    inner join periods using (period_start_at)
)

select * from final
);
