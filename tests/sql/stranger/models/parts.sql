{# One row per bin of a case. #}
with bins as (
    select * from read_parquet('{{ env_var("STRANGER_HOME") }}/bins.parquet')
),

parts as (
    {{ driftnet.bin_parts('bins', by=['family_id', 'case_id'], carry=['bin_index']) }}
)

select * from parts
