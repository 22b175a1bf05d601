"""Records what an overlapped MTP runtime knew and did in each step as a JSONL trace (numpy only).

The twin of tandem_recorder.h, which explains every member: one file to copy, the same names, the
same bytes for the same inputs. Structures are dictionaries here, arrays are numpy arrays, pairs are
(token_num, real_bsz); what is not in a dictionary, or None, is not known.

    recorder = Recorder("run.jsonl", config={"policy": "predict-rows", "max_num_seqs": 64, ..},
                        known=first_step)      # a step as they will be: says what is known
    recorder.step(first_step)                  # one call an iteration, from the scheduling thread
    recorder.close(last=keyframe)

Arguments are copied before step() returns; a thread of the recorder prints them. Where it falls
behind by `ring_steps` the caller waits, and `stalls` counts that: no step is ever dropped. Token
ids become keyed digests; without `digest_key` the key is random and known to nobody.
"""

import copy
import json
import os
import queue
import threading

import numpy as np

TASK_KINDS = ("prefill", "dnode", "decode", "preempt", "abort")
STEP_KINDS = ("back", "empty", "idle")
NAMES = {"reason": ("open", "eos", "length", "stop", "abort"),
         "user": ("routing_replay", "sampling_mask")}

# Field of the trace, form, members of the step that it is made of, part. As in detail/fields.hpp.
_POINTS = [("q", "column", "seq_lens_this_time"), ("e", "column", "seq_lens_encoder"),
           ("d", "column", "seq_lens_decoder"), ("s", "flags", "stop_flags"),
           ("b", "flags", "is_block_step"), ("g", "column", "step_idx"),
           ("a", "column", "accept_num")]
_ROWS = [("draft_len", "row_len"), ("draft_hole", "row_hole"), ("draft_digest", "row_digest"),
         ("draft_first", "row_first")]


def _point(name, letters, part):
    return [(f"{name}.{short}", form, f"{name}.{member}", part)
            for letter in letters for short, form, member in _POINTS if short == letter]


def _draft_rows(name, part):
    return [(f"{name}.{short}", form, f"{name}.draft_tokens", part) for short, form in _ROWS]


def _fields(form, names, part="any"):
    """Fields called as the member that they print, or "field=member"."""
    pairs = [(name.partition("=")[0], name.rpartition("=")[2]) for name in names.split()]
    return [(name, form, member, part) for name, member in pairs]


FIELDS = (
    _fields("always", "t kind n") + _fields("never", "segments deviations")
    + _fields("tasks", "tasks") + _fields("never", "pinned_copies")
    + _fields("outcomes", "outcomes") + _fields("frees", "frees")
    + _fields("flag", "flag_in flag_out draft_flag_in draft_flag_out")
    + _fields("mode", "mode=predicted") + _fields("pair", "cached_in cached_out")
    + _fields("number", "token_num launch_bsz real_bsz captured_size")
    + _fields("column", "q_cpu=seq_lens_this_time_cpu")
    + _fields("flags", "b_cpu=is_block_step_cpu") + _fields("number", "q_cpu_step b_cpu_step")
    + _fields("column", "believed_len believed_reserve") + _point("p1", "qedsbg", "any")
    + _fields("column", "p1.p=prompt_lens") + _draft_rows("p1", "any")
    + _fields("table_hash", "p1.table_hash=block_tables")
    + _fields("request", "p1.request=request") + _fields("generation", "p1.generation=generation")
    + _fields("prefix", "cu_seqlens_q cu_seqlens_q_output", "launch")
    + _fields("runs", "batch_id_per_token", "launch")
    + _fields("output_runs", "batch_id_per_token_output", "launch")
    + _fields("number", "output_rows output_rows_host")
    + _fields("strays", "id_below=ids_remove_padding id_above=ids_remove_padding", "launch")
    + _fields("flag", "guard_tripped") + _fields("number", "live_tail")
    + _point("p2", "qedsbga", "back")
    + _fields("accept_digest", "accept_digest=accept_tokens", "back")
    + _fields("last_digest", "last_digest=accept_tokens", "back")
    + _fields("marks", "accept_marks=accept_tokens", "back")
    + _fields("row_first", "p2.draft_first=p2.draft_tokens", "back")
    + _fields("column", "enqueue_generation p2.generation=p2_generation", "back")
    + _fields("seed", "seed_used=infer_seed", "back")
    + _fields("column", "stop_step_idx draft_e paired", "back")
    + _fields("substeps", "substeps", "back") + _point("shadow", "qedgs", "back")
    + _point("p4", "qedsbga", "back") + _draft_rows("p4", "back")
    + _fields("column", "step_q=step_seq_lens_this_time step_d=step_seq_lens_decoder", "back")
    + _fields("step_digest", "step_digest=step_draft_tokens", "back")
    + _fields("messages", "messages") + _fields("uses", "count_uses") + _fields("never", "spans")
    + _fields("number", "start_ns end_ns"))

SUBSTEP_FIELDS = (
    _fields("flag", "launched") + _fields("flag", "blocking", "launch")
    + _fields("number", "token_num hidden_rows captured_size device_sum", "launch")
    + _fields("strays", "id_below=ids_remove_padding id_above=ids_remove_padding", "launch")
    + _fields("column", "qd=seq_lens_this_time dd=seq_lens_decoder", "launch")
    + _fields("column", "row_request row_position row_phase row_count", "launch")
    + _fields("number", "live_tail", "launch"))

# What a field cannot do without, beside the member that it is named for.
NEEDS = (("accept_tokens", "p2.accept_num"), ("step_draft_tokens", "step_seq_lens_this_time"),
         ("request", "p1.stop_flags"), ("request", "p1.is_block_step"),
         ("generation", "p1.stop_flags"), ("generation", "p1.is_block_step"),
         ("batch_id_per_token", "token_num"), ("ids_remove_padding", "token_num"),
         ("batch_id_per_token_output", "output_rows"))
PLAIN = ("flag", "mode", "number", "pair", "column", "flags", "strays")
LISTS = ("tasks", "outcomes", "frees", "messages", "uses")
CLOCK = ("spans", "start_ns", "end_ns")

CONFIG = {
    "scenario": "", "seed": 1, "policy": "predict-rows-hidden", "rows": ["overlap"] * 14,
    "draft_path": "gather", "encoder_test": "encoder_len", "arrivals": "step", "max_num_seqs": 64,
    "num_speculative_tokens": 3, "num_model_steps": 3, "block_size": 64, "kv_blocks": 0,
    "enc_dec_block_num": 2, "max_model_len": 16384, "max_num_batched_tokens": 8192,
    "pinned_ring_depth": 1, "splitwise_prefill": False, "copies_own_stream": False,
    "captured_sizes": [], "vocab_size": 32000, "padding_id": 2, "eos_ids": [],
    "acceptance": {"kind": "per-position", "millionths": []}}
REQUEST = {"id": -1, "arrival": 0, "prompt_len": 0, "max_dec_len": 0, "eos_at": 0, "accept": [],
           "stop_at": 0, "stop_len": 0, "min_tokens": 0, "cached_prompt": 0, "abort_after": -1}

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FACTOR = np.uint64(0xD6E8FEB86659FD93)


def _mix(x):
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def digest_rows(key, tokens, begin, end, bits):
    """Keyed digests of tokens[i, begin[i]:end[i]], 0 where that is empty (FORMAT.md, "Digests")."""
    tokens = np.ascontiguousarray(tokens, dtype=np.int64).view(np.uint64)
    begin, end = np.broadcast_to(begin, len(tokens)), np.broadcast_to(end, len(tokens))
    h = np.full(len(tokens), key, dtype=np.uint64)
    for column in range(tokens.shape[1]):
        chained = _mix((h + _GOLDEN) ^ (tokens[:, column] * _FACTOR))
        h = np.where((begin <= column) & (column < end), chained, h)
    return np.where(end > begin, h >> np.uint64(64 - bits), np.uint64(0)).astype(np.int64)


def table_hash(table):
    """Hash of each row of a block table: a sum over entries >= 0, as a signed 32-bit number."""
    table = np.asarray(table, dtype=np.int64)
    keys = (np.arange(table.shape[1], dtype=np.uint64) << np.uint64(32)) | (
        table & 0xFFFFFFFF).astype(np.uint64)
    terms = (_mix(keys + _GOLDEN) & np.uint64(0xFFFFFFFF)).astype(np.uint64)
    sums = np.where(table >= 0, terms, np.uint64(0)).sum(axis=1, dtype=np.uint64)
    return (sums & np.uint64(0xFFFFFFFF)).astype(np.uint32).view(np.int32).astype(np.int64)


def _get(structure, path):
    """A member by its path, None where it is not known."""
    for name in path.split("."):
        if structure is None:
            return None
        structure = structure.get(name)
    return structure


def _known(field, structure):
    return field[1] == "always" or (field[1] != "never" and _get(structure, field[2]) is not None)


class _Printer:
    """Lines of one run, as text. Used by the recorder's thread alone."""

    def __init__(self, config, known, first_step, producer, device, key):
        self.b, self.w = config["max_num_seqs"], config["num_speculative_tokens"] + 1
        self.m, self.key = config["num_model_steps"], key
        self.vocab_size = config["vocab_size"]
        self.eos_ids = np.asarray(config["eos_ids"], dtype=np.int64)
        self.fields = [field for field in FIELDS if _known(field, known)]
        substep = (known.get("substeps") or [{}])[0]
        self.substep_fields = [field for field in SUBSTEP_FIELDS if _known(field, substep)]
        self.hashes = np.zeros(self.b, dtype=np.int64)
        timed = any(known.get(name) is not None for name in CLOCK)
        self.head = {"type": "header", "format": "tandem-trace", "version": 2, "header": {
            "producer": producer, "level": "timeline" if timed else "state", "device": device,
            "executor": "recorder", "first_step": first_step,
            "absent": self._absent(known, substep, timed), "config": config}}

    @staticmethod
    def _absent(known, substep, timed):
        names = []
        for field in FIELDS:
            if not _known(field, known) and (timed or field[0] not in CLOCK):
                names.append(field[0])
            if field[0] == "substeps":
                names += ["substeps." + f[0] for f in SUBSTEP_FIELDS if not _known(f, substep)]
        return names

    def column(self, out, name, values):
        values = np.asarray(values, dtype=np.int64).reshape(-1)
        if len(values) != self.b:
            raise ValueError(f"{name}: got {len(values)} entries, want {self.b}")
        if values.any():
            out[name] = values.tolist()

    def rows(self, form, tokens):
        tokens = np.asarray(tokens, dtype=np.int64).reshape(self.b, self.w)
        gaps = tokens == -1
        length = np.where(gaps.any(axis=1), gaps.argmax(axis=1), self.w)
        if form in ("row_len", "row_hole"):
            return length if form == "row_len" else (~gaps).sum(axis=1) > length
        begin, end = (1, length) if form == "row_digest" else (0, np.minimum(length, 1))
        return digest_rows(self.key, tokens, begin, end, 8)

    def accepted(self, form, step):
        tokens = np.asarray(step["accept_tokens"], dtype=np.int64).reshape(self.b, self.w)
        count = np.clip(np.asarray(step["p2"]["accept_num"]).reshape(-1), 0, self.w)
        if form == "accept_digest":
            names = ("p1.seq_lens_encoder", "p2.seq_lens_decoder", "prompt_lens")
            columns = [_get(step, name) for name in names]
            if all(column is not None for column in columns):
                e, d, p = (np.reshape(column, -1) for column in columns)
                count = np.where((e > 0) & (d < p), 0, count)  # a chunk that is not the last
            return digest_rows(self.key, tokens, 0, count, 16)
        if form == "last_digest":
            return digest_rows(self.key, tokens, np.maximum(count - 1, 0), count, 8)
        behind = count[:, None] - 1 - np.arange(self.w)  # tokens behind each, of those accepted
        eos = np.isin(tokens, self.eos_ids)
        marks = (eos & (behind == 0), eos & (behind > 0), (tokens < 0) & (behind >= 0))
        return sum(mark.any(axis=1).astype(np.int64) << bit for bit, mark in enumerate(marks))

    def saved_digest(self, tokens, length):
        tokens = np.asarray(tokens, dtype=np.int64).reshape(self.b, self.w)
        end = np.clip(np.asarray(length).reshape(-1), 1, self.w)
        return digest_rows(self.key, tokens, 1, end, 8)

    def request(self, row):
        return {name: _plain(row.get(name, value)) for name, value in REQUEST.items()}

    def task(self, task):
        kind = _name(task["kind"], TASK_KINDS)
        out = {"kind": kind} | {name: int(task.get(name, 0)) for name in (
            "slot", "request", "generation", "start", "end", "text_len", "generated")}
        if kind == "dnode":
            row = np.asarray(task["draft_tokens"], dtype=np.int64).reshape(1, -1)
            out["drafts"] = row.shape[1] - 1
            out["draft_digest"] = int(digest_rows(self.key, row, 1, row.shape[1], 8)[0])
            out["last_digest"] = int(digest_rows(self.key, row, 0, 1, 8)[0])
        out["admits"] = task.get("row") is not None
        if out["admits"]:
            out["row"] = self.request(task["row"])
        out["blocks"] = _plain(task.get("blocks", []))
        return out

    def message(self, message):
        count = np.asarray(message["accept_num"], dtype=np.int64).reshape(self.b)
        digest = np.zeros(self.b, dtype=np.int64)
        if message.get("accept_tokens") is not None:
            tokens = np.asarray(message["accept_tokens"]).reshape(self.b, self.w)
            digest = digest_rows(self.key, tokens, 0, np.clip(count, 0, self.w), 16)
        named = count != 0
        return {"control": bool(message.get("control", False)), "step": int(message["step"]),
                "slots": int(message["slots"]), "count": count.tolist(),
                "digest": digest.tolist(),
                "seq_len": _plain(np.reshape(message["seq_lens_decoder"], -1)),
                "request": np.where(named, message["request"], -1).tolist(),
                "generation": np.where(named, message["generation"], 0).tolist()}

    def plain(self, out, field, structure, rows):
        """Prints one of the forms that steps and sub-steps share; False for another."""
        name, form, member, _ = field
        value = _get(structure, member)
        if form == "flag":
            out[name] = bool(value)
        elif form == "mode":
            out[name] = "predicted" if value else "exact"
        elif form == "number":
            out[name] = int(value)
        elif form == "pair":
            out[name] = _pair(value)
        elif form == "column":
            self.column(out, name, value)
        elif form == "flags":
            self.column(out, name, np.asarray(value) != 0)
        elif form == "strays" and rows > 0:
            ids = np.clip(np.asarray(value).reshape(-1)[:rows], -(1 << 31), (1 << 31) - 1)
            strays = ids[ids < 0 if name == "id_below" else ids >= self.vocab_size]
            out[name] = int(max(strays, key=abs, default=0))
        return form in PLAIN

    def substep(self, substep):
        out = {}
        for field in self.substep_fields:
            if field[3] == "any" or substep["launched"]:
                self.plain(out, field, substep, substep.get("token_num") or 0)
        return out

    def lists(self, form, values):
        if form in ("tasks", "messages"):
            return [self.task(v) if form == "tasks" else self.message(v) for v in values]
        names = {"outcomes": "id output_len reason", "frees": "slot generation",
                 "uses": "user step count"}[form].split()
        return [{name: _name(v[name], NAMES[name]) if name in NAMES else int(v[name])
                 for name in names} for v in values]

    def slot_values(self, form, member, step):
        value = _get(step, member)
        if form == "table_hash":
            changed = step.get("block_rows_changed")
            fresh = table_hash(value)
            self.hashes = fresh if changed is None else np.where(changed, fresh, self.hashes)
            return self.hashes
        if form in ("request", "generation"):
            held = (np.reshape(step["p1"]["stop_flags"], -1) == 0) | (
                np.reshape(step["p1"]["is_block_step"], -1) != 0)
            return np.where(held, np.reshape(value, -1), -1 if form == "request" else 0)
        if form == "seed":
            return np.asarray(value, dtype=np.int64) & 0x7FFFFFFF
        if form == "step_digest":
            return self.saved_digest(value, step["step_seq_lens_this_time"])
        return self.rows(form, value) if form[:3] == "row" else self.accepted(form, step)

    def field(self, out, field, step):
        name, form, member, _ = field
        rows = step.get("token_num") or 0
        if self.plain(out, field, step, rows):
            return
        value = _get(step, member)
        if form in LISTS:
            out[name] = self.lists(form, value if value is not None else [])
        elif form == "substeps":
            out[name] = [self.substep(substep) for substep in value]
        elif form == "prefix":
            out[name] = _plain(np.reshape(value, -1)[:step["n"] + 1])
        elif form in ("runs", "output_runs"):
            count = rows if form == "runs" else step["output_rows"]
            if count > 0:
                out[name] = _runs(np.reshape(value, -1)[:count])
        else:
            self.column(out, name, self.slot_values(form, member, step))

    def step(self, step):
        out = {"type": "step", "t": int(step["t"]), "kind": step["kind"], "n": int(step["n"])}
        for field in self.fields:
            if field[1] != "always" and _is_read(field[3], step["kind"]):
                self.field(out, field, step)
        return out

    def keyframe(self, k, is_last):
        out = {"t": int(k["t"]), "n": int(k.get("n", 0))}
        for short, form, member in _POINTS:
            self._state(out, short, form, _get(k, "slots." + member), 1 if short == "s" else 0)
        self._state(out, "p", "column", k.get("prompt_lens"))
        if _get(k, "slots.draft_tokens") is not None:
            for short, form in _ROWS:
                self.column(out, short, self.rows(form, k["slots"]["draft_tokens"]))
        self._state(out, "step_q", "column", k.get("step_seq_lens_this_time"))
        self._state(out, "step_d", "column", k.get("step_seq_lens_decoder"))
        if k.get("step_draft_tokens") is not None and k.get("step_seq_lens_this_time") is not None:
            self.column(out, "step_digest", self.saved_digest(k["step_draft_tokens"],
                                                              k["step_seq_lens_this_time"]))
        for name, form, member, _ in _point("shadow", "qedgs", "back"):
            self._state(out, name.replace(".", "_"), form, _get(k, member),
                        1 if name == "shadow.s" else 0)
        if k.get("block_tables") is not None:
            out["blocks"] = [row[:row.index(-1)] if -1 in row else row
                             for row in _plain(k["block_tables"])]
        self._state(out, "infer_seed", "column", k.get("infer_seed"))
        self._state(out, "request", "column", k.get("request"), -1)
        self._state(out, "generation", "column", k.get("generation"))
        out["rows"] = [self.request(row) for row in k.get("rows", [])]
        out["flag"], out["draft_flag"] = bool(k.get("flag")), bool(k.get("draft_flag"))
        out["cached"] = _pair(k.get("cached", (-1, -1)))
        self._state(out, "q_cpu", "column", k.get("seq_lens_this_time_cpu"))
        self._state(out, "b_cpu", "flags", k.get("is_block_step_cpu"))
        out["ghost"], out["has_unsent"] = bool(k.get("ghost")), k.get("unsent") is not None
        if out["has_unsent"]:
            out["unsent"] = self.message(k["unsent"])
        for name in ("preempted", "last_preempted", "known_d", "known_g", "in_flight"):
            self._state(out, name, "column", k.get(name))
        return {"type": "end", "last": out} if is_last else {"type": "keyframe", "keyframe": out}

    def _state(self, out, name, form, value, default=0):
        """A column of a keyframe; one whose default is not 0 is printed wherever it is known."""
        if value is None:
            return
        values = np.asarray(np.asarray(value) != 0 if form == "flags" else value, dtype=np.int64)
        if default == 0:
            return self.column(out, name, values)
        out[name] = values.reshape(self.b).tolist()


def _plain(value):
    """Numbers of numpy as those of Python."""
    return np.asarray(value).tolist()


def _name(value, names):
    if value not in names:
        raise ValueError(f"got {value}, want one of {', '.join(names)}")
    return value


def _pair(pair):
    return {"token_num": int(pair[0]), "real_bsz": int(pair[1])}


def _runs(ids):
    starts = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))
    ends = np.concatenate((starts[1:], [len(ids)]))
    return [[int(ids[begin]), int(end - begin)] for begin, end in zip(starts, ends)]


def _is_read(part, kind):
    return part == "any" or (part == "back" and kind == "back") or (
        part == "launch" and kind != "idle")


def _check(fields, known, given, read, count):
    for field in fields:
        name, form, _, part = field
        if form in ("never", "always") or not read(part):
            continue
        was, now = _known(field, known), _known(field, given)
        if was != now and (now or count(form)):
            raise ValueError(f"{name}: was {'' if was else 'not '}known when the recorder opened")


class Recorder:
    """One trace. step() and keyframe() belong to one thread; close() may be called by any."""

    def __init__(self, path, config, known, first=None, first_step=0, producer="", device="unknown",
                 digest_key=None, ring_steps=256):
        unknown = set(config) - set(CONFIG)
        if unknown:
            raise ValueError(f"config: got {', '.join(sorted(unknown))}, want members of CONFIG")
        for name, needed in NEEDS:
            if _get(known, name) is not None and _get(known, needed) is None:
                raise ValueError(f"{name}: cannot be known without {needed}")
        key = digest_key if digest_key is not None else int.from_bytes(os.urandom(8), "little")
        full = {name: config.get(name, value) for name, value in CONFIG.items()}
        full["seed"] = hex(full["seed"]) if full["seed"] > 1 << 53 else full["seed"]
        self._known = known
        self._substep = (known.get("substeps") or [{}])[0]
        self._printer = _Printer(full, known, first_step, producer, device, key)
        self._path, self._part = path, f"{path}.part"
        self._queue, self._error, self._closing = queue.Queue(ring_steps), None, False
        self._lock = threading.Lock()
        self.stalls = 0  # calls that found the ring full and waited
        opening = self._printer.keyframe(first or {"t": first_step}, False)
        self._file = open(self._part, "w", encoding="utf-8", newline="\n")
        self._write(self._printer.head)
        self._write(opening)
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def step(self, step):
        """Records one iteration."""
        kind = _name(step["kind"], STEP_KINDS)
        rows = {"runs": "token_num", "strays": "token_num", "output_runs": "output_rows"}
        _check(FIELDS, self._known, step, lambda part: _is_read(part, kind),
               lambda form: form not in LISTS and (form not in rows or step.get(rows[form])))
        for substep in (step.get("substeps") or []) if kind == "back" else []:
            _check(SUBSTEP_FIELDS, self._substep, substep,
                   lambda part: part == "any" or substep["launched"],
                   lambda form: form not in rows or substep.get("token_num"))
        self._put(("step", copy.deepcopy(step)))

    def keyframe(self, keyframe):
        """Opens a new block: the state before the next step."""
        self._put(("keyframe", copy.deepcopy(keyframe)))

    def close(self, last=None):
        """Ends the trace with the state after the last step and gives it its name."""
        with self._lock:
            if not self._closing:
                if last is not None:
                    self._put(("end", copy.deepcopy(last)))
                self._closing = True
                self._queue.put(None)
                self._thread.join()
                self._file.close()
                if self._error is None:
                    os.replace(self._part, self._path)
            if self._error is not None:
                raise self._error

    def _put(self, entry):
        if self._error is not None:
            raise self._error
        if self._closing:
            raise ValueError("the recorder is closed")
        if self._queue.full():
            self.stalls += 1
        self._queue.put(entry)

    def _write(self, line):
        json.dump(line, self._file, separators=(",", ":"), ensure_ascii=False)
        self._file.write("\n")

    def _drain(self):
        while (entry := self._queue.get()) is not None:
            if self._error is not None:
                continue  # emptied all the same: no caller waits for ever
            kind, value = entry
            try:
                self._write(self._printer.step(value) if kind == "step"
                            else self._printer.keyframe(value, kind == "end"))
            except Exception as error:  # handed to the thread that records
                self._error = error
