#!/usr/bin/env python3
"""The run of a DAG file on SimPy 2 or later: a process a lane, an event a task that is awaited.

usage: simpy_peer.py DAG

Prints tasks a second and the makespan.
"""
import sys
import time


def read(path):
    with open(path, encoding="ascii") as file:
        _, lanes = map(int, file.readline().split())
        tasks = [tuple(map(int, line.split())) for line in file]
    queues = [[] for _ in range(lanes)]
    for i, (lane, awaited, duration) in enumerate(tasks):
        queues[lane].append((i, awaited, duration))
    return tasks, queues, {awaited for _, awaited, _ in tasks if awaited >= 0}


def run_simpy3(simpy, queues, awaited_tasks):
    env = simpy.Environment()
    done = {task: env.event() for task in awaited_tasks}

    def lane(queue):
        for task, awaited, duration in queue:
            if awaited >= 0:
                yield done[awaited]
            yield env.timeout(duration)
            if task in done:
                done[task].succeed()

    begin = time.perf_counter()
    for queue in queues:
        env.process(lane(queue))
    env.run()
    return time.perf_counter() - begin, env.now


def run_simpy2(sim_module, queues, awaited_tasks):
    sim = sim_module.Simulation()
    sim.initialize()
    done = {task: sim_module.SimEvent(sim=sim) for task in awaited_tasks}
    passed = set()

    class Lane(sim_module.Process):
        def work(self, queue):
            for task, awaited, duration in queue:
                if awaited >= 0 and awaited not in passed:
                    yield sim_module.waitevent, self, done[awaited]
                yield sim_module.hold, self, duration
                if task in done:
                    passed.add(task)
                    done[task].signal()

    begin = time.perf_counter()
    for queue in queues:
        process = Lane(sim=sim)
        sim.activate(process, process.work(queue))
    sim.simulate(until=1 << 62)
    return time.perf_counter() - begin, sim.now()


def main():
    tasks, queues, awaited_tasks = read(sys.argv[1])
    try:
        import simpy
        took, makespan = run_simpy3(simpy, queues, awaited_tasks)
    except ImportError:
        import SimPy.Simulation
        took, makespan = run_simpy2(SimPy.Simulation, queues, awaited_tasks)
    print(f"SimPy {len(tasks) / took:.0f} {int(makespan)}")


if __name__ == "__main__":
    main()
