#!/usr/bin/env python3
"""Starved time and boundary gaps of the GPU runtime in steady decode, by forward and host cost.

usage: tools/bench/starved.py [--tandem FILE] [--slots N] [--steps N] [--forwards US,..]
                              [--hosts US,..]

Each case is a run at level timeline (CUPTI beside it, so steps are longer than without) and what
`tandem timeline` says of it. `starved` and `gaps` are shares of the compute stream's time.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def numbers(text):
    return [int(n) for n in text.split(",")]


def measure(options, folder, schedule, forward, host):
    scenario = {
        "name": "steady",
        "engine": {"max_num_seqs": options.slots, "num_speculative_tokens": 3, "block_size": 64,
                   "max_model_len": 8192, "max_num_batched_tokens": 8192, "cuda_graphs": True},
        "acceptance": {"kind": "constant", "p": 0.7},
        "workload": {"kind": "poisson", "requests": options.slots, "gap_steps": 0.001,
                     "prompt": {"shares": [0, 1], "tokens": [16, 17]},
                     "output": {"shares": [0, 1], "tokens": [8000, 8001]}},
        "limits": {"steps": options.steps},
        "schedule": schedule,
        "timing": {"forward_base_ns": forward * 1000, "forward_row_ns": 0,
                   "draft_base_ns": forward * 50, "draft_row_ns": 0, "host_step_ns": host * 1000},
    }
    source, trace = folder / "steady.json", folder / "steady.tbt"
    source.write_text(json.dumps(scenario))
    subprocess.run([options.tandem, "run", str(source), "--device", "cuda", "--record", "timeline",
                    "-o", str(trace)], check=True, capture_output=True)
    said = subprocess.run([options.tandem, "timeline", str(trace), "--json", "-",
                           "--steps", f"100:{options.steps}"],
                          check=True, capture_output=True, text=True)
    return json.loads(said.stdout)["timeline"]


def line(forward, host, schedule, t):
    lane, bound = t["lanes"]["compute"], t["bound"]
    steps = t["a_step"]["wall_ns"]["steps"]
    starved = (lane["idle_ns"] - lane["gaps_ns"]) / lane["window_ns"]
    keys = ("run_ns", "device_ns", "host_ns")
    times = "".join(f"{bound[key] / steps / 1e3:>9.1f}" for key in keys)
    gap_us = lane["gaps_ns"] / max(1, lane["gaps"]) / 1e3
    return (f"{forward:>8}{host:>6} {schedule:<9}{times}{starved:>10.2%}"
            f"{lane['gaps_ns'] / lane['window_ns']:>8.2%}{gap_us:>6.2f} us")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tandem", default=str(ROOT / "build/gpu/tools/cli/tandem"))
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--forwards", type=numbers, default=[100, 300, 1000, 5000])
    parser.add_argument("--hosts", type=numbers, default=[0, 500, 2000])
    options = parser.parse_args()
    print(f"B={options.slots}; us a step, shares of the compute stream's time")
    print(f"{'forward':>8}{'host':>6} {'schedule':<9}{'step':>9}{'device':>9}{'host':>9}"
          f"{'starved':>10}{'gaps':>8}{'each':>9}")
    with tempfile.TemporaryDirectory() as name:
        for forward in options.forwards:
            for host in options.hosts:
                for schedule in ("sync", "overlap"):
                    t = measure(options, pathlib.Path(name), schedule, forward, host)
                    print(line(forward, host, schedule, t), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
