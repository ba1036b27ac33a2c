"""Jobs on a cluster of real processes that lose workers, then the scheduler, then the coordinator.

`_round` plays one job and judges it by the emulator's books; `_coordinator` is the process that runs the job.

    PYTHONPATH=tests:tests/helpers python -m cluster_chaos --seeds 20
"""
