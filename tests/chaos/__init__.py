"""The promise of bulk jobs, tried: real processes, killed at every step, judged by what the emulator saw.

_points.py      the numbered moments at which a process is killed, from outside of what it runs
_weather.py     what network and platform do to a round
_worker.py      the process that works on a job
_plans.py       what a round is, and what it came to
_lane.py        an emulator, and the rounds that are played on it and judged
_round.py       one job: killed, and resumed until it is done
_copies.py      a copy of its folder, at work at the same time
_strangers.py   others who create runs beside it
_person.py      what a person decides meanwhile
_reconciliations.py  how many requests it takes to find a run
_weakened.py    guards that a trial takes away, to see that it fails then
_judge.py       what is left of the promise, by the emulator's ledger and bytes
_schedule.py    which kills make up a trial
_table.py       what was promised beside what was seen
__main__.py     `make chaos`
"""
