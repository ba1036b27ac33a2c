"""Reading slides in worker processes, because native readers may crash or hang.

- `_prober`: the pool of worker processes; `_worker`: the program that they run.
- `_result`: what a worker returns for a slide.
"""
