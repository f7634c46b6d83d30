-- A value: what a register of 2 or 4 16-bit words would have shown, had they been read the other
-- way round. shown_wh: what it showed; resolution_wh: one count of it. Of four words the one read
-- last is the highest and taken as 0 (2^48 counts are never reached), for a double does not hold
-- all 64 bits. null: the register cannot have shown this.
create or replace macro swapped_words_wh(shown_wh, resolution_wh, words) as (
    case
        when words = 2 and shown_wh >= 0 and shown_wh / resolution_wh < power(2, 32)
            then list_transform(
                [round(shown_wh / resolution_wh)::hugeint],
                shown -> shown % 65536 * 65536 + shown // 65536
            )[1]::double * resolution_wh
        when words = 4 and abs(shown_wh / resolution_wh) < power(2, 64)
            then list_transform(
                -- the upper three words; a signed register shows the highest bit as negative
                [
                    round(shown_wh / resolution_wh / 65536)::hugeint
                    + if(shown_wh < 0, 281474976710656, 0)
                ],
                upper ->
                    upper % 65536 * 4294967296
                    + upper // 65536 % 65536 * 65536
                    + upper // 4294967296
            )[1]::double * resolution_wh
    end
);
