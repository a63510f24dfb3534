"""A process that is measured: times, processor time, memory."""

import os
import resource
import select
import subprocess
import time


class Failed(Exception):
    """A process that was to be measured did something else."""


def run(command, directory, environment, out=None, codes=(0,)):
    """Runs a command to its end. Times in seconds, memory in MiB; `began` is since 1970."""
    with open(os.path.join(directory, "stderr"), "w+b") as errors:
        began = time.time()
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out or subprocess.DEVNULL,
            stderr=errors,
        )
        sampled = _highest(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.time() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in codes:
            errors.seek(0)
            text = errors.read()[-2000:].decode(errors="replace")
            raise Failed(f"{os.path.basename(command[0])} {command[1:]}: exit {process.returncode}\n{text}")
    # The kernel says exactly what the child had at most, but not less than this process had at its start.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak = usage.ru_maxrss / 1024
    return {
        "began": began,
        "took": took,
        "user": usage.ru_utime,
        "system": usage.ru_stime,
        "peak": peak if peak > own else sampled,
    }


def _highest(pid):
    """Waits for the end of a process. The most memory that it was seen with, in MiB."""
    highest, pause = 0, 0.002
    end = os.pidfd_open(pid)
    try:
        while not select.select([end], [], [], pause)[0]:
            pause = min(pause * 1.1, 0.05)
            try:
                highest = max(highest, memory(pid, "VmHWM"))
            except (OSError, StopIteration):
                break
        select.select([end], [], [])
    finally:
        os.close(end)
    return highest


def memory(pid, name):
    """A line of its status, in MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith(name))
    return int(line.split()[1]) / 1024


def cpu(pid):
    """Its processor time, in seconds. The scheduler's count is in nanoseconds; ticks are too coarse for idleness."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def cpu_of_all(pid):
    """The same with threads that have ended since, in ticks of a hundredth of a second."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def spread(values):
    """What a table needs of many runs."""
    values = sorted(values)
    return {"median": median(values), "least": values[0], "most": values[-1], "runs": len(values)}
