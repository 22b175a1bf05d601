"""Real JSONL dumps against traces/step.schema.json, and corrupted ones that it must refuse.

usage: schema_dump_test.py TANDEM SOURCE_DIR
"""

import copy
import json
import os
import subprocess
import sys
import tempfile
import unittest

from json_schema import Validator

TANDEM, SOURCE = sys.argv[1:3]
with open(os.path.join(SOURCE, "traces", "step.schema.json"), encoding="utf-8") as schema_file:
    SCHEMA = json.load(schema_file)

# D-node and chunked arrivals, production arrivals, both levels above `state`, sync rows.
RUNS = (("dnode-short-drafts", "--steps", "80"), ("chunked-prefill", "--steps", "80"),
        ("azure-conv", "--steps", "60"),
        ("azure-conv", "--steps", "30", "--record", "full"),
        ("azure-conv", "--steps", "30", "--record", "timeline", "--schedule", "sync"))


def dump(folder, run):
    path = os.path.join(folder, "run.tbt")
    result = subprocess.run([TANDEM, "run", *run, "--no-verify", "-o", path], check=False,
                            capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"tandem run {' '.join(run)}: {result.stderr}")
    text = subprocess.run([TANDEM, "dump", path, "--jsonl"], check=True, capture_output=True,
                          text=True).stdout
    return [json.loads(line) for line in text.splitlines()]


class Dumps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.validator = Validator(SCHEMA)
        with tempfile.TemporaryDirectory() as folder:
            cls.dumps = {run: dump(folder, run) for run in RUNS}

    def test_every_line_then_valid(self):
        seen = set()
        for run, lines in self.dumps.items():
            for number, line in enumerate(lines, 1):
                errors = self.validator.errors(line)
                self.assertEqual(errors, [], f"{run}, line {number}")
                seen.add(line["type"])
        self.assertLessEqual({"header", "segment", "keyframe", "step", "end"}, seen)

    def test_one_thing_wrong_then_refused_by_place(self):
        lines = self.dumps[RUNS[2]]
        header = lines[0]
        step = next(line for line in lines if line["type"] == "step" and line["kind"] == "back"
                    and line["tasks"])
        keyframe = next(line for line in lines if line["type"] == "keyframe")
        cases = [(step, "t", "0", "/t"), (step, "kind", "front", "/kind"),
                 (step, "flag_in", 1, "/flag_in"), (step, "p1.q", [1 << 31], "/p1.q/0"),
                 (step, "p1.r", [], "/p1.r"), (step, "segments", [-1], "/segments/0"),
                 (step, "segments", ["0xg"], "/segments/0"),
                 (step, "batch_id_per_token", [[1, 2, 3]], "/batch_id_per_token/0"),
                 (step, "substeps", [{"q": []}], "/substeps/0/q"),
                 (step, "tasks", [{"kind": "prefil"}], "/tasks/0/kind"),
                 (header, "version", 1, "/version"),
                 (header, "header", {"level": "all"}, "/header"),
                 (keyframe, "keyframe", {"rows": [{"id": True}]}, "/keyframe/rows/0/id")]
        for line, member, value, place in cases:
            wrong = copy.deepcopy(line)
            wrong[member] = value
            errors = self.validator.errors(wrong)
            self.assertTrue(any(error.startswith(place) for error in errors), (place, errors))

    def test_member_that_is_required_missing_then_refused(self):
        for line in (self.dumps[RUNS[0]][0], self.dumps[RUNS[0]][-1]):
            for name in line:
                self.assertTrue(self.validator.errors({k: v for k, v in line.items() if k != name}))


class Keywords(unittest.TestCase):
    def test_unknown_keyword_then_refused_at_once(self):
        for schema in ({"multipleOf": 2}, {"properties": {"a": {"format": "date"}}},
                       {"items": {"type": "number"}}, {"additionalProperties": True},
                       {"oneOf": [{"not": {}}]}, {"$defs": {}, "$ref": "#/$defs/none"}):
            with self.assertRaises(ValueError):
                Validator(schema)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
