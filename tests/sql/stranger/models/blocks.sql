{# One row per case: how much the rows of its reference's days resemble each other. #}
with cells as (
    select * from read_parquet('{{ env_var("STRANGER_HOME") }}/days.parquet')
),

blocks as (
    {{ driftnet.block_correlation('cells', ['case_id'], 'day_number') }}
)

select * from blocks
