#!/usr/bin/env python3
"""The discrete-event engine beside other simulators: the same DAG, the same machine, in turn.

usage: tools/bench/peers/peers.py [--build FOLDER] [--tasks N] [--rounds N]

Peers that were not built, or are not installed, are left out by name. Prints tasks a second
(median, least, greatest) and how many times as fast the engine is; the makespans must agree.
"""
import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent.parent


def peers_of(build):
    bench = build / "tools" / "bench"
    return {"ns-3": [bench / "ns3_peer"], "SimGrid": [bench / "simgrid_peer"],
            "SimPy": ["/usr/bin/python3", FOLDER / "simpy_peer.py"]}


def run(command, dag):
    done = subprocess.run([*map(str, command), str(dag)], capture_output=True, text=True)
    if done.returncode != 0:
        return None
    _, rate, makespan = done.stdout.split()
    return float(rate), int(makespan)


def engine(bench, tasks, dag):
    """Rates of one round by contestant, and the makespan."""
    command = [str(bench), "--tasks", str(tasks), "--rounds", "1", "--dag", str(dag)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rates = {}
    for name, rate in re.findall(r"^  (\S.*?\S)\s{2,}(\d+\.\d+) M tasks/s", text, re.M):
        rates[name] = float(rate) * 1e6
    return rates, int(re.search(r"makespan (\d+) ns", text).group(1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=str(ROOT / "build/host"), type=pathlib.Path)
    parser.add_argument("--tasks", default=100_000, type=int)
    parser.add_argument("--rounds", default=5, type=int)
    options = parser.parse_args()
    build = pathlib.Path(options.build)
    found, makespans, absent = {}, {}, set()
    with tempfile.TemporaryDirectory() as folder:
        dag = pathlib.Path(folder) / "dag.txt"
        for _ in range(options.rounds):
            rates, makespan = engine(build / "tools/bench/engine_bench", options.tasks, dag)
            for name, rate in rates.items():
                found.setdefault(name, []).append(rate)
            for name, command in peers_of(build).items():
                exists = pathlib.Path(command[0]).exists()
                measured = run(command, dag) if exists else None
                if measured is None:
                    absent.add(name)
                    continue
                found.setdefault(name, []).append(measured[0])
                makespans[name] = measured[1]
    for name in sorted(absent):
        print(f"{name}: not built or not installed, left out")
    ours = statistics.median(found["dynamic, 1 core, 1 engine"])
    print(f"{options.tasks} tasks, {options.rounds} rounds, M tasks/s: median (least to greatest)")
    for name, rates in found.items():
        median = statistics.median(rates)
        ratio = f", 1 / {ours / median:.1f} of the engine with queues" if name in makespans else ""
        print(f"  {name:<28} {median / 1e6:9.2f} ({min(rates) / 1e6:.2f} to {max(rates) / 1e6:.2f})"
              f"{ratio}")
    wrong = {n: m for n, m in makespans.items() if abs(m - makespan) > makespan * 1e-6}
    for name, value in wrong.items():
        print(f"{name}: makespan {value} ns, the engine's is {makespan}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
