-- One row: the most that a GPU of a model can do at a precision, by its maker's data sheet.
-- peak_pflops: PFLOPS of the tensor cores without sparsity; data sheets that print figures with
-- sparsity print twice as much. A site adds to these, or corrects them, under gpu_peak_pflops.
create or replace view gpu_peaks as (
    select
        peaks.gpu_model,
        peaks.arithmetic,
        peaks.peak_pflops,
        peaks.source,
    from (
        values
        ('A100', 'bf16', 0.312, 'NVIDIA A100 data sheet'),
        ('H100', 'bf16', 0.9895, 'NVIDIA H100 data sheet, SXM: 1979 TFLOPS with sparsity'),
        ('H100', 'fp8', 1.979, 'NVIDIA H100 data sheet, SXM: 3958 TFLOPS with sparsity'),
        ('H200', 'bf16', 0.9895, 'NVIDIA H200 data sheet, SXM: 1979 TFLOPS with sparsity'),
        ('H200', 'fp8', 1.979, 'NVIDIA H200 data sheet, SXM: 3958 TFLOPS with sparsity'),
        ('B200', 'bf16', 2.25, 'NVIDIA HGX B200, 1000 W: 4.5 PFLOPS with sparsity'),
        ('B200', 'fp8', 4.5, 'NVIDIA HGX B200, 1000 W: 9 PFLOPS with sparsity'),
        ('B200', 'fp4', 9, 'NVIDIA HGX B200, 1000 W: 18 PFLOPS with sparsity'),
        ('GB200', 'bf16', 2.5, 'NVIDIA GB200 NVL72: 360 PFLOPS of 72 GPUs with sparsity'),
        ('GB200', 'fp8', 5, 'NVIDIA GB200 NVL72: 720 PFLOPS of 72 GPUs with sparsity'),
        ('GB200', 'fp4', 10, 'NVIDIA GB200 NVL72: 1440 PFLOPS of 72 GPUs with sparsity'),
        ('GB300', 'bf16', 2.5, 'NVIDIA GB300 NVL72: 360 PFLOPS of 72 GPUs with sparsity'),
        ('GB300', 'fp8', 5, 'NVIDIA GB300 NVL72: 720 PFLOPS of 72 GPUs with sparsity'),
        ('GB300', 'fp4', 15, 'NVIDIA GB300 NVL72: 1080 PFLOPS of 72 GPUs, dense')
    ) as peaks (gpu_model, arithmetic, peak_pflops, source)
);
