"""The promise of bulk jobs, tried: real processes, killed at every step, judged by what the emulator saw.

_points.py      the numbered moments at which a process is killed, from outside of what it runs
_weather.py     what network and platform do to a round
_worker.py      the process that works on a job
_round.py       one job: killed, resumed until it is done, judged
_judge.py       what is left of the promise, by the emulator's ledger and bytes
_schedule.py    which kills make up a trial
_table.py       what was promised beside what was seen
__main__.py     `make chaos`
"""
