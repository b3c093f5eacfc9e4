"""The rollout of scenarios/tutorial.toml, written with SimPy as its users would: each instance a process that heartbeats,
the controller a process that reads heartbeats and starts batches on the reconciler's ticks.

    python rollout.py --replicates 2000 [--seed 1]

prints JSON: replicates, mean and standard error of the duration, trips, and the time that the rollouts took.
Nothing is left out of the world that the scenario has; of dryroll's metrics it knows the duration and the trips alone.
"""

import argparse
import json
import math
import random
import time

import simpy

INSTANCES = 50
BATCH = 10
HEARTBEAT_INTERVAL = 30.0
TICK_INTERVAL = 60.0
APPROVAL_DELAY = 120.0
HEALTH_TIMEOUT = 300.0
MAX_CONSECUTIVE_FAILURES = 2
FAILURE_RATE = 0.004
UPGRADE_MEDIAN, UPGRADE_SIGMA = 45.0, 0.5

OLD, NEW = "sha256:124", "sha256:126"


class Instance:
    """Heartbeats all the time; a command makes it upgrade, or fail to and say so."""

    def __init__(self, env, rng, controller):
        self.env = env
        self.rng = rng
        self.controller = controller
        self.digest = OLD
        self.healthy = True
        self.upgrade_failed = False
        env.process(self.heartbeat())

    def heartbeat(self):
        yield self.env.timeout(self.rng.uniform(0, HEARTBEAT_INTERVAL))
        while True:
            self.controller.heartbeat(self)
            yield self.env.timeout(HEARTBEAT_INTERVAL)

    def upgrade(self):
        self.healthy = False
        yield self.env.timeout(self.rng.lognormvariate(math.log(UPGRADE_MEDIAN), UPGRADE_SIGMA))
        self.healthy = True
        if self.rng.random() < FAILURE_RATE:
            self.upgrade_failed = True
        else:
            self.digest = NEW


class Controller:
    """Plans, waits for the approval, walks the batches, and counts failures in a row."""

    def __init__(self, env, rng):
        self.env = env
        self.instances = [Instance(env, rng, self) for _ in range(INSTANCES)]
        self.awaited = {}
        self.failures_in_a_row = 0
        self.trips = 0
        self.approved = env.event()
        self.aborted = env.event()
        self.finished = env.process(self.rollout())
        env.process(self.operator())

    def operator(self):
        yield self.env.timeout(APPROVAL_DELAY)
        self.approved.succeed()

    def heartbeat(self, instance):
        verdict = self.awaited.get(instance)
        if verdict is None:
            return
        if instance.upgrade_failed:
            del self.awaited[instance]
            verdict.succeed(False)
        elif instance.healthy and instance.digest == NEW:
            del self.awaited[instance]
            verdict.succeed(True)

    def watch(self, instance):
        """One instance from its dispatch to its verdict."""
        verdict = self.awaited[instance] = self.env.event()
        self.env.process(instance.upgrade())
        yield verdict | self.env.timeout(HEALTH_TIMEOUT)
        if not verdict.triggered:
            del self.awaited[instance]
        if verdict.triggered and verdict.value:
            self.failures_in_a_row = 0
            return
        self.failures_in_a_row += 1
        if self.failures_in_a_row == MAX_CONSECUTIVE_FAILURES and not self.aborted.triggered:
            # The operator aborts at once.
            self.trips += 1
            self.aborted.succeed()

    def next_tick(self):
        """Waits for the reconciler's next wake-up; one at this very moment counts."""
        yield self.env.timeout(math.ceil(self.env.now / TICK_INTERVAL) * TICK_INTERVAL - self.env.now)

    def rollout(self):
        yield self.approved
        for first in range(0, INSTANCES, BATCH):
            yield self.env.process(self.next_tick())
            batch = self.instances[first : first + BATCH]
            verdicts = self.env.all_of([self.env.process(self.watch(instance)) for instance in batch])
            yield verdicts | self.aborted
            if self.aborted.triggered:
                return


def rollout(seed):
    env = simpy.Environment()
    controller = Controller(env, random.Random(seed))
    env.run(until=controller.finished)
    return env.now, controller.trips


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rollout(0)
    wall, cpu = time.perf_counter(), time.process_time()
    results = [rollout(f"{arguments.seed}/{replicate}") for replicate in range(arguments.replicates)]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    durations = [duration for duration, _ in results]
    n = len(durations)
    mean = math.fsum(durations) / n
    variance = math.fsum((duration - mean) ** 2 for duration in durations) / (n - 1)
    trips = sum(trips for _, trips in results)
    print(json.dumps({"replicates": n, "mean": mean, "se": math.sqrt(variance / n), "trips": trips, "wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    main()
