-- One row: what a part of the power path loses, for a time, as shares of the energy that enters.
-- part: a device role, or `distribution`: what lies between any two meters in series.
-- node_patterns: by which a node that nobody polls is known for such a part. valid_to_at: infinity
-- where still true. Defaults and their sources: facility/loss_bands.yaml.
create or replace view loss_band_versions as (
    select
        loss_bands.part,
        string_split(loss_bands.node_patterns, ',') as node_patterns,
        loss_bands.low_ratio,
        loss_bands.typical_ratio,
        loss_bands.high_ratio,
        loss_bands.source,
        loss_bands.valid_from as valid_from_at,
        coalesce(loss_bands.valid_to, 'infinity'::timestamptz) as valid_to_at,
    from loss_bands
);
