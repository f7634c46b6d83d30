-- $from_at, $to_at, $grain: what is published.
select * from boundary_parts($from_at, $to_at, $grain)
