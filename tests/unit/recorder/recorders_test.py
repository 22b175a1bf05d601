"""The recorder in Python, the one in C, the example runner, and the judge on what they wrote.

usage: recorders_test.py TANDEM LIBRARY SOURCE_DIR. Exit 77: skipped, numpy is not installed.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

TANDEM, LIBRARY, SOURCE = sys.argv[1:4]
RECORDER = os.path.join(SOURCE, "traces", "recorder")
sys.path[:0] = [RECORDER, os.path.join(RECORDER, "examples")]
try:
    import numpy as np
except ImportError:
    print("skipped: numpy is not installed")
    sys.exit(77)

import overlap_runner  # noqa: E402
import tandem_recorder  # noqa: E402
from c_recorder import CRecorder  # noqa: E402
from json_schema import Validator  # noqa: E402

HEADER = os.path.join(RECORDER, "tandem_recorder.h")
KEY = 0x1234567890ABCDEF


def config():
    return {name: overlap_runner.CONFIG.get(name, value)
            for name, value in tandem_recorder.CONFIG.items()}


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def lines_of(path):
    return [json.loads(line) for line in text_of(path).splitlines()]


class Scratch(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def verify(self, path, *options):
        result = subprocess.run([TANDEM, "verify", path, "--json", "-", *options],
                                capture_output=True, text=True, check=False)
        return result.returncode, json.loads(result.stdout)["traces"][0] if result.stdout else None

    def run_example(self, name, *options):
        subprocess.run([sys.executable, "-B", os.path.join(RECORDER, "examples",
                                                           "overlap_runner.py"),
                        "-o", self.path(name), *options], check=True, capture_output=True)
        return self.path(name)


class BothRecorders(Scratch):
    def record(self, drop=(), alter=lambda record: record):
        runner, recorders = overlap_runner.Runner(overlap_runner.workload()), []
        paths = self.path("c.jsonl"), self.path("python.jsonl")
        while runner.engine.waiting or any(runner.engine.slots) or runner.unsent is not None:
            record = alter({k: v for k, v in runner.step().items() if k not in drop})
            if not recorders:
                more = {"producer": "both \"quoted\" \\ \t\n\x01\x1f é", "device": "host",
                        "digest_key": KEY}
                recorders = [CRecorder(LIBRARY, HEADER, paths[0], config(), record, **more),
                             tandem_recorder.Recorder(paths[1], config(), record, **more)]
            for recorder in recorders:
                recorder.step(record)
                if runner.t % 7 == 0:
                    recorder.keyframe(runner.keyframe())
        for recorder in recorders:
            recorder.close(runner.keyframe())
        return [text_of(path) for path in paths]

    def test_same_inputs_then_same_bytes(self):
        c, python = self.record()
        self.assertGreater(len(c.splitlines()), 40)
        for mine, other in zip(c.splitlines(), python.splitlines()):
            self.assertEqual(mine, other)
        self.assertEqual(c, python)
        code, verdict = self.verify(self.path("c.jsonl"))
        self.assertEqual((code, verdict["divergences"]), (0, 0))

    def test_fields_dropped_then_same_absent_names_and_bytes(self):
        dropped = ("seq_lens_this_time_cpu", "accept_tokens", "substeps", "block_tables",
                   "cached_out", "batch_id_per_token_output")
        c, python = self.record(drop=dropped)
        self.assertEqual(c, python)
        header = json.loads(c.splitlines()[0])["header"]
        for name in ("q_cpu", "accept_digest", "last_digest", "accept_marks", "substeps",
                     "substeps.qd", "p1.table_hash", "cached_out", "batch_id_per_token_output"):
            self.assertIn(name, header["absent"])
        code, verdict = self.verify(self.path("c.jsonl"), "--require", "none")
        self.assertGreater(verdict["checks"]["V6"]["not_checkable"], 0)

    def test_members_that_the_example_lacks_then_same_bytes(self):
        zeros = np.zeros(overlap_runner.B, np.int64)

        def alter(record):
            record |= {"believed_len": zeros + 5, "believed_reserve": zeros, "live_tail": 1,
                       "start_ns": 10 * record["t"], "end_ns": 10 * record["t"] + 7,
                       "count_uses": [{"user": "routing_replay", "step": record["t"],
                                       "count": 3}]}
            if record["kind"] == "back":
                record |= {"enqueue_generation": zeros + 1, "p2_generation": zeros + 1,
                           "infer_seed": zeros + (1 << 40) + 3, "stop_step_idx": zeros + 2,
                           "paired": zeros + 1}
                record["substeps"] = [dict(sub, row_request=zeros - 1, row_position=zeros + 4,
                                           row_phase=zeros, row_count=zeros + 1, live_tail=0)
                                      for sub in record["substeps"]]
            return record

        c, python = self.record(alter=alter)
        self.assertEqual(c, python)
        header = json.loads(c.splitlines()[0])["header"]
        self.assertEqual(header["level"], "timeline")
        self.assertEqual(header["absent"],
                         ["segments", "deviations", "pinned_copies", "spans"])


class PythonRecorder(Scratch):
    def first_step(self):
        return overlap_runner.Runner(overlap_runner.workload()).step()

    def test_member_missing_later_then_refused_by_name(self):
        runner = overlap_runner.Runner(overlap_runner.workload())
        first = runner.step()
        recorder = tandem_recorder.Recorder(self.path("a.jsonl"), config(), first)
        second = runner.step()
        del second["prompt_lens"]
        with self.assertRaisesRegex(ValueError, r"p1\.p: was known"):
            recorder.step(second)
        with self.assertRaisesRegex(ValueError, "live_tail: was not known"):
            recorder.step(dict(first, live_tail=0))
        recorder.close()

    def test_arrays_reused_after_the_call_then_recorded_as_they_were(self):
        first = self.first_step()
        recorder = tandem_recorder.Recorder(self.path("a.jsonl"), config(), first)
        want = first["p1"]["seq_lens_this_time"].tolist()
        recorder.step(first)
        first["p1"]["seq_lens_this_time"][:] = 77
        recorder.close()
        self.assertEqual(lines_of(self.path("a.jsonl"))[-1]["p1.q"], want)

    def test_full_ring_then_a_stall_is_counted_and_nothing_is_lost(self):
        first = self.first_step()
        recorder = tandem_recorder.Recorder(self.path("a.jsonl"), config(), first, ring_steps=1)
        for _ in range(200):
            recorder.step(first)
        recorder.close()
        self.assertGreater(recorder.stalls, 0)
        self.assertEqual(text_of(self.path("a.jsonl")).count('"type":"step"'), 200)

    def test_no_key_given_then_digests_differ_from_run_to_run(self):
        a, b = [text_of(self.run_example(name)) for name in ("a", "b")]
        self.assertNotEqual(a, b)
        c, d = [text_of(self.run_example(name, "--digest-key", "7")) for name in ("c", "d")]
        self.assertEqual(c, d)
        self.assertNotIn("digest_key", c)


class ExampleRunner(Scratch):
    def test_sound_loop_then_no_divergence_and_what_is_not_recorded_is_named(self):
        path = self.run_example("run.jsonl")
        code, verdict = self.verify(path)
        self.assertEqual((code, verdict["divergences"]), (0, 0), verdict)
        ran = [name for name, count in verdict["checks"].items() if count["run"] > 0]
        for check in ("V0", "V1", "V2", "V6", "V12", "V14", "V19", "V21", "V22", "V33", "V37"):
            self.assertIn(check, ran)
        # It has no hidden rows whose provenance it could tell.
        self.assertGreater(verdict["checks"]["V32"]["not_checkable"], 0)

    def test_workload_then_every_situation_of_the_loop_occurs(self):
        seen = set()
        for step in lines_of(self.run_example("run.jsonl")):
            if step["type"] != "step":
                continue
            seen |= {step["kind"], step["mode"]} | {task["kind"] for task in step["tasks"]}
            seen |= {"chunk" for task in step["tasks"] if task["end"] < task["text_len"]}
            seen |= {"parked"} if any(step.get("p4.b", [])) else set()
            seen |= {o["reason"] for o in step["outcomes"]}
        self.assertLessEqual({"back", "empty", "exact", "predicted", "prefill", "dnode", "decode",
                              "chunk", "parked", "eos", "length"}, seen)

    def test_every_line_then_valid_by_the_schema(self):
        with open(os.path.join(SOURCE, "traces", "step.schema.json"), encoding="utf-8") as file:
            validator = Validator(json.load(file))
        for number, line in enumerate(lines_of(self.run_example("run.jsonl")), 1):
            self.assertEqual(validator.errors(line), [], f"line {number}")

    def test_imported_then_the_same_verdict(self):
        path = self.run_example("run.jsonl")
        subprocess.run([TANDEM, "import", "jsonl", path, "-o", self.path("run.tbt")], check=True,
                       capture_output=True)
        jsonl, tbt = self.verify(path), self.verify(self.path("run.tbt"))
        for verdict in (jsonl[1], tbt[1]):
            verdict.pop("trace")
        self.assertEqual(jsonl, tbt)

    def first_divergence(self, *options):
        code, verdict = self.verify(self.run_example("bad.jsonl", *options))
        self.assertEqual(code, 1)
        words = verdict["first_divergence"].split()[1:]
        return dict(word.split("=", 1) for word in words)

    def test_sum_of_q_instead_of_rows_then_found_where_it_was_predicted(self):
        found = self.first_divergence("--bug", "predict-sum")
        self.assertEqual((found["check"], found["field"]), ("V2", "cached_out.token_num"))
        # The first step whose slots have fewer rows than W each, computed from the sound trace.
        steps = lines_of(self.run_example("good.jsonl"))
        wrong = [step["t"] for step in steps if step["type"] == "step" and not step["flag_in"]
                 and sum(step.get("q_cpu", [])) + overlap_runner.W * sum(step.get("b_cpu", []))
                 != step["cached_out"]["token_num"]]
        self.assertEqual(int(found["step"]), wrong[0])

    def test_q_cpu_of_the_step_before_then_found_at_that_step(self):
        for step in ("5", "12"):
            found = self.first_divergence("--bug", "stale-q", "--bug-step", step)
            self.assertEqual((found["check"], found["step"]), ("V6", step))
            self.assertEqual(int(found["belongs_to"]), int(step) - 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
