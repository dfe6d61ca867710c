"""How long to wait on a machine that does other things, too.

A limit says how long something may take where nothing else runs. It grows by as much as this machine is slower at the moment, and
by nothing where it is not: so it means the same on one core beside a build and on many that are idle.
"""
import time


def slowness(seconds=0.1):
    """How many times longer a computation takes than it would alone, at least 1."""
    cpu, wall = time.thread_time(), time.monotonic()
    while time.thread_time() - cpu < seconds:
        pass
    return max(1.0, (time.monotonic() - wall) / seconds)


def too_long(took, seconds):
    """Whether something that took so long should have taken less. Looks at the machine only where that matters."""
    return took > seconds and took > seconds * slowness()


def too_late(began, seconds):
    """The same of what is not over yet."""
    return too_long(time.monotonic() - began, seconds)
