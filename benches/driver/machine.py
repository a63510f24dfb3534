"""The machine in a few words, without its name and its paths."""

import os
import platform


def describe():
    return {
        "cores": os.cpu_count(),
        "processor": _field("/proc/cpuinfo", "model name"),
        "architecture": platform.machine(),
        "memory_gib": round(int(_field("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def load():
    """The load averages of the last one, five and fifteen minutes."""
    return os.getloadavg()


def _field(path, name):
    with open(path, encoding="utf-8") as file:
        found = next((line for line in file if line.startswith(name)), ": 0")
    return found.partition(":")[2].strip()
