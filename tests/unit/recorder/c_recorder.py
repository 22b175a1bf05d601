"""Drives the C recorder from Python through ctypes, with structures read from its header.

The members that ctypes gets are those that tandem_recorder.h declares, in its order: a member that
the header gains reaches the tests by itself.
"""

import ctypes
import re

import numpy as np

SCALARS = {"int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64, "uint64_t": ctypes.c_uint64,
           "uint32_t": ctypes.c_uint32, "uint8_t": ctypes.c_uint8, "size_t": ctypes.c_size_t,
           "char": ctypes.c_char}
DTYPES = {"int32_t": np.int32, "int64_t": np.int64, "uint8_t": np.uint8, "uint32_t": np.uint32}
LISTS = {"tasks": "task_count", "outcomes": "outcome_count", "frees": "free_count",
         "messages": "message_count", "count_uses": "count_use_count", "rows": "row_count",
         "accept": "accept_count", "blocks": "block_count", "eos_ids": "eos_id_count",
         "captured_sizes": "captured_size_count", "millionths": "millionth_count"}
NAMES = {"kind": {"prefill": 0, "dnode": 1, "decode": 2, "preempt": 3, "abort": 4,
                  "back": 0, "empty": 1, "idle": 2},
         "reason": {"open": 0, "eos": 1, "length": 2, "stop": 3, "abort": 4},
         "user": {"routing_replay": 0, "sampling_mask": 1}}


def read_structures(header):
    """Name -> list of (member, type name, number of stars, array length)."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    structures = {}
    for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\}", text, flags=re.DOTALL):
        members = []
        for declaration in body.split(";"):
            match = re.match(r"\s*(?:const )?(\w+)(.*)", declaration, flags=re.DOTALL)
            for part in (match.group(2).split(",") if match else []):
                member = re.search(r"(\w+)(?:\[(\d+)\])?\s*$", part)
                members.append((member.group(1), match.group(1), part.count("*"),
                                int(member.group(2) or 0)))
        structures[name] = members
    return structures


class CRecorder:
    """The Recorder of tandem_recorder.py, on the C library."""

    def __init__(self, library, header, path, config, known, first_step=0, producer="",
                 device="unknown", digest_key=0):
        self.lib = ctypes.CDLL(library)
        with open(header, encoding="utf-8") as file:
            self.members = read_structures(file.read())
        self.types = {}
        self.kept = []  # what the structures of a call point to
        c = self.structure("tandem_config")()
        self.lib.tandem_config_init(ctypes.byref(c))
        flat = dict(config, millionths=config["acceptance"]["millionths"],
                    acceptance=config["acceptance"]["kind"], producer=producer, device=device,
                    first_step=first_step, digest_key=digest_key, has_digest_key=1)
        self.fill(c, "tandem_config", flat)
        self.handle = ctypes.c_void_p()
        self.lib.tandem_recorder_detail.restype = ctypes.c_char_p
        self.lib.tandem_recorder_stalls.restype = ctypes.c_uint64
        self.check(self.lib.tandem_recorder_open(
            path.encode(), ctypes.byref(c), ctypes.byref(self.step_of(known)), None,
            ctypes.byref(self.handle)))

    def check(self, result):
        if result != 0:
            self.lib.tandem_result_text.restype = ctypes.c_char_p
            detail = self.lib.tandem_recorder_detail(self.handle).decode()
            raise RuntimeError(f"{self.lib.tandem_result_text(result).decode()} ({detail})")

    def structure(self, name):
        if name not in self.types:
            fields = []
            for member, kind, stars, length in self.members[name]:
                base = SCALARS.get(kind) or self.structure(kind)
                if kind == "char":
                    base = ctypes.c_char_p
                elif stars:
                    base = ctypes.c_void_p
                fields.append((member, base * length if length else base))
            self.types[name] = type(name, (ctypes.Structure,), {"_fields_": fields})
        return self.types[name]

    def keep(self, value):
        self.kept.append(value)
        return value

    def pointer(self, kind, value):
        if kind in DTYPES:
            array = self.keep(np.ascontiguousarray(value, dtype=DTYPES[kind]))
            return array.ctypes.data
        elements = value if isinstance(value, list) else [value]
        array = self.keep((self.structure(kind) * max(len(elements), 1))())
        for target, element in zip(array, elements):
            if kind == "tandem_substep":
                self.lib.tandem_substep_init(ctypes.byref(target))
            self.fill(target, kind, element)
        return ctypes.addressof(array)

    def fill(self, target, name, values):
        for member, kind, stars, length in self.members[name]:
            value = values.get(member)
            if value is None:
                continue
            if member in LISTS and stars:
                setattr(target, LISTS[member], len(value))
            if length:
                setattr(target, member, (ctypes.c_char_p * length)(*[v.encode() for v in value]))
            elif kind == "char":
                setattr(target, member, self.keep(value.encode()))
            elif stars:
                setattr(target, member, self.pointer(kind, value))
            elif kind in SCALARS:
                setattr(target, member, NAMES.get(member, {}).get(value, value))
            else:
                self.fill(getattr(target, member), kind, value)

    def step_of(self, step):
        c = self.keep(self.structure("tandem_step")())
        self.lib.tandem_step_init(ctypes.byref(c))
        flat = dict(step)
        for pair in ("cached_in", "cached_out"):
            if step.get(pair) is not None:
                flat[pair + "_token_num"], flat[pair + "_real_bsz"] = step[pair]
        if step.get("tasks") is not None:
            flat["tasks"] = [dict(task, drafts=len(task.get("draft_tokens", [0])) - 1)
                             for task in step["tasks"]]
        self.fill(c, "tandem_step", flat)
        return c

    def keyframe_of(self, keyframe):
        c = self.keep(self.structure("tandem_keyframe")())
        self.lib.tandem_keyframe_init(ctypes.byref(c))
        flat = dict(keyframe)
        flat["cached_token_num"], flat["cached_real_bsz"] = keyframe.get("cached", (-1, -1))
        self.fill(c, "tandem_keyframe", flat)
        return c

    def step(self, step):
        self.kept = []
        self.check(self.lib.tandem_recorder_step(self.handle, ctypes.byref(self.step_of(step))))

    def keyframe(self, keyframe):
        self.kept = []
        c = self.keyframe_of(keyframe)
        self.check(self.lib.tandem_recorder_keyframe(self.handle, ctypes.byref(c)))

    def close(self, last):
        self.kept = []
        c = self.keyframe_of(last)
        self.check(self.lib.tandem_recorder_close(self.handle, ctypes.byref(c)))
        stalls = self.lib.tandem_recorder_stalls(self.handle)
        self.lib.tandem_recorder_free(self.handle)
        self.handle = ctypes.c_void_p()
        return stalls
