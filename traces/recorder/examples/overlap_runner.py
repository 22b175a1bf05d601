"""An overlapped MTP loop in plain numpy that records itself: what an engine does to be judged.

    python3 overlap_runner.py -o run.jsonl && tandem verify run.jsonl
    python3 overlap_runner.py -o bad.jsonl --bug predict-sum; tandem verify bad.jsonl

It is a small engine: its own state arrays, a scheduler with KV blocks, chunked prefill, D-node
arrivals, parking, verification of draft tokens against target tokens, and the two halves of the
overlap, resolve and predict. Only the models are scripted: drafts are right as often as a
request's list of commits tells. Comments name sections of the semantics.
"""

import argparse
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tandem_recorder import Recorder  # noqa: E402

B, K, M, W = 6, 3, 3, 4
BLOCK, MODEL_LEN, EXTRA_BLOCKS, POOL = 8, 128, 2, 22
TABLE = -(-MODEL_LEN // BLOCK) + EXTRA_BLOCKS
BUDGET, CHUNK, EOS, PADDING, VOCAB = 256, 24, 2, 2, 32000
BUGS = ("predict-sum", "stale-q")


class Request:
    """What a client asked for, and the script of its target model."""

    def __init__(self, number, arrival, prompt_len, max_dec_len, eos_at, commits, drafts=None):
        self.row = {"id": number, "arrival": arrival, "prompt_len": prompt_len,
                    "max_dec_len": max_dec_len, "eos_at": eos_at, "accept": commits}
        self.id, self.arrival, self.prompt_len = number, arrival, prompt_len
        self.max_dec_len, self.eos_at, self.commits = max_dec_len, eos_at, commits
        self.drafts = drafts  # D node: drafts that arrive with the KV; None: prefilled here

    def text(self, position):
        """Token of the prompt."""
        return 3 + (self.id * 7919 + position * 104729) % (VOCAB - 3)

    def token(self, k):
        """The target's k-th generated token, 1-based."""
        return EOS if k == self.eos_at else 3 + (self.id * 15485863 + k * 32452843) % (VOCAB - 3)

    def accepted(self, g):
        """Tokens that a step commits which starts with g of them."""
        end, entry = 1, 0
        while end <= g:
            end += self.commits[entry % len(self.commits)]
            entry += 1
        return end - g

    def draft(self, g, j):
        """Draft j of a slot with g tokens: right, or one beside it."""
        right = self.token(g + 1 + j)
        return right if j + 1 < self.accepted(g) else 3 + (right + 1) % (VOCAB - 3)


class Engine:
    """Requests, slots and KV blocks; it knows what messages told it, one step late (6.9)."""

    def __init__(self, requests):
        self.waiting = list(requests)
        self.slots = [None] * B
        self.given = np.zeros(B, np.int32)
        self.known_d, self.known_g = np.zeros(B, np.int32), np.zeros(B, np.int32)
        self.text_done = np.zeros(B, np.int32)  # end of the last chunk
        self.in_flight = np.zeros(B, np.int32)
        self.free_blocks = list(range(POOL))
        self.held = [[] for _ in range(B)]

    def grant(self, slot, reach):
        """Blocks that the slot's table lacks to look ahead of `reach` (E3), or None."""
        want = max(0, min(TABLE - 1, (reach + 2 * K + 2) // BLOCK) + 1 - len(self.held[slot]))
        if want > len(self.free_blocks):
            return None
        blocks, self.free_blocks = self.free_blocks[:want], self.free_blocks[want:]
        self.held[slot] += blocks
        return blocks

    def task(self, kind, slot, **more):
        request = self.slots[slot]
        return {"kind": kind, "slot": slot, "request": request.id,
                "generation": int(self.given[slot]) - 1, **more}

    def chunk(self, slot, start, **more):
        request = self.slots[slot]
        end = min(start + CHUNK, request.prompt_len)
        blocks = self.grant(slot, end)
        if blocks is None:
            return None
        self.text_done[slot] = self.known_d[slot] = end
        return self.task("prefill", slot, start=start, end=end, text_len=request.prompt_len,
                         generated=0, blocks=blocks, **more)

    def admit(self, slot):
        request = self.waiting[0]
        if (request.prompt_len + 2 * K + 2) // BLOCK + 1 > len(self.free_blocks):
            return None
        self.slots[slot] = self.waiting.pop(0)
        self.given[slot] += 1
        self.known_g[slot] = self.in_flight[slot] = 0
        if request.drafts is None:
            return self.chunk(slot, 0, row=request.row)
        self.text_done[slot] = self.known_d[slot] = request.prompt_len
        self.known_g[slot] = 1
        tokens = [request.token(1)] + [request.draft(1, j) for j in range(request.drafts)]
        return self.task("dnode", slot, start=request.prompt_len, text_len=request.prompt_len,
                         generated=1, draft_tokens=np.array(tokens), row=request.row,
                         blocks=self.grant(slot, request.prompt_len))

    def schedule(self, t):
        """Tasks of insert(t): refreshes and chunks of the running, then admissions."""
        tasks = []
        for slot, request in enumerate(self.slots):
            if request is None:
                continue
            if self.text_done[slot] < request.prompt_len:
                task = self.chunk(slot, int(self.text_done[slot]))
            else:
                blocks = self.grant(slot, int(self.known_d[slot]) + 2 * W)
                task = self.task("decode", slot, blocks=blocks) if blocks else None
            tasks += [task] if task else []
        for slot in range(B):
            if self.slots[slot] is None and self.waiting and self.waiting[0].arrival <= t:
                task = self.admit(slot)
                tasks += [task] if task else []
        return tasks

    def receive(self, message):
        """A message of the runtime; slots whose request it ends are free at once (E4)."""
        outcomes, frees = [], []
        self.in_flight[:] = 0
        for slot in np.flatnonzero(message["accept_num"] > 0):
            count = int(message["accept_num"][slot])
            self.known_d[slot] = message["seq_lens_decoder"][slot]
            self.known_g[slot] += count
            if message["accept_tokens"][slot, count - 1] != EOS:
                continue
            request, g = self.slots[slot], int(self.known_g[slot])
            outcomes.append({"id": request.id, "output_len": g,
                             "reason": "eos" if g == request.eos_at else "length"})
            frees.append({"slot": int(slot), "generation": int(self.given[slot]) - 1})
            self.free_blocks += self.held[slot]
            self.held[slot], self.slots[slot] = [], None
        return outcomes, frees


class Point:
    """The seven per-slot tensors of one model; the proposer has its own (2.1, 2.3)."""

    def __init__(self):
        self.seq_lens_this_time = np.zeros(B, np.int32)
        self.seq_lens_encoder = np.zeros(B, np.int32)
        self.seq_lens_decoder = np.zeros(B, np.int32)
        self.stop_flags = np.ones(B, bool)
        self.is_block_step = np.zeros(B, bool)
        self.step_idx = np.zeros(B, np.int64)
        self.accept_num = np.zeros(B, np.int32)
        self.draft_tokens = np.full((B, W), -1, np.int64)

    def snapshot(self):
        return {name: array.copy() for name, array in vars(self).items()}

    def clear(self, i):
        self.seq_lens_this_time[i] = self.seq_lens_encoder[i] = self.seq_lens_decoder[i] = 0


class Runner:
    """One rank: the device's tensors, the host's beliefs and the loop between them."""

    def __init__(self, requests, bug=None, bug_step=12):
        self.engine, self.bug, self.bug_step = Engine(requests), bug, bug_step
        self.main, self.draft = Point(), Point()
        self.prompt_lens = np.zeros(B, np.int64)
        self.max_dec_len = np.zeros(B, np.int64)
        self.accept_tokens = np.full((B, W), -1, np.int64)
        self.step_q, self.step_d = np.zeros(B, np.int32), np.zeros(B, np.int32)
        self.step_draft_tokens = np.full((B, W), -1, np.int64)
        self.block_tables = np.full((B, TABLE), -1, np.int32)
        self.who = [None] * B  # the device's request of a slot: what its embeddings hold
        self.t = self.n = 0
        self.flag = self.draft_flag = self.ghost = False
        self.cached = (-1, -1)
        self.q_cpu, self.b_cpu = np.zeros(B, np.int32), np.zeros(B, bool)
        self.unsent = None

    # -- insert (6) ------------------------------------------------------------------------------

    def insert(self, tasks):
        self.rows_changed = np.zeros(B, bool)
        for task in tasks:
            i = task["slot"]
            if task.get("row") is not None:
                self.block_tables[i] = -1
                self.who[i] = self.engine.slots[i]
                self.max_dec_len[i] = self.who[i].max_dec_len
            filled = int((self.block_tables[i] >= 0).sum())
            self.block_tables[i, filled:filled + len(task["blocks"])] = task["blocks"]
            self.rows_changed[i] = True
            insert = {"prefill": self.insert_chunk, "dnode": self.insert_dnode}.get(task["kind"])
            if insert:
                insert(task, i)
        occupied = [i for i in range(B) if self.engine.slots[i] is not None]
        self.n = occupied[-1] + 1 if occupied else 0

    def insert_chunk(self, task, i):
        length = task["end"] - task["start"]
        for point in (self.main, self.draft):
            point.seq_lens_this_time[i] = point.seq_lens_encoder[i] = length
            point.seq_lens_decoder[i] = task["start"]
            point.stop_flags[i], point.is_block_step[i], point.step_idx[i] = False, False, 0
        self.prompt_lens[i], self.step_d[i] = task["text_len"], 0
        self.flag = self.draft_flag = True

    def insert_dnode(self, task, i):
        tokens = task["draft_tokens"]
        for point in (self.main, self.draft):
            point.seq_lens_this_time[i], point.seq_lens_encoder[i] = len(tokens), 0
        self.main.seq_lens_decoder[i] = self.prompt_lens[i] = task["text_len"]
        self.main.stop_flags[i], self.main.is_block_step[i] = False, False
        self.main.step_idx[i] = 1
        self.main.draft_tokens[i] = -1
        self.main.draft_tokens[i, :len(tokens)] = tokens
        self.cached = (-1, self.cached[1])  # 6.2: the next launch is exact

    # -- the device's kernels (5) ----------------------------------------------------------------

    def recover(self):
        """5.1: a parked slot whose block came runs again."""
        for i in np.flatnonzero(self.main.is_block_step[:self.n]):
            entry = min((int(self.step_d[i]) + 2 * K + 1) // BLOCK, TABLE - 1)
            if self.block_tables[i, entry] == -1:
                continue
            self.main.is_block_step[i] = self.main.stop_flags[i] = False
            q = self.main.seq_lens_this_time[i] = self.step_q[i]
            self.main.seq_lens_decoder[i], self.main.seq_lens_encoder[i] = self.step_d[i], 0
            self.main.draft_tokens[i, :q] = self.step_draft_tokens[i, :q]

    def pre_process(self, rows):
        """5.2 and 4.7: packs the rows of all slots; what is behind them is padding."""
        q, e, d = (self.main.seq_lens_this_time[:self.n], self.main.seq_lens_encoder,
                   self.main.seq_lens_decoder)
        output = np.where((q == 1) | (e[:self.n] != 0), 1, q) * (q > 0)
        ids, batch = np.full(rows, PADDING, np.int64), np.full(rows, -1, np.int32)
        at = 0
        for i in range(self.n):
            row = (self.main.draft_tokens[i, :q[i]] if e[i] == 0 else
                   np.array([self.who[i].text(d[i] + x) for x in range(q[i])]))
            room = max(min(len(row), rows - at), 0)  # the guard: no row beyond the allocation
            ids[at:at + room], batch[at:at + room] = row[:room], i
            at += room
        self.packing = {
            "cu_seqlens_q": np.concatenate(([0], np.cumsum(q))),
            "cu_seqlens_q_output": np.concatenate(([0], np.cumsum(output))),
            "batch_id_per_token": batch, "ids_remove_padding": ids,
            "batch_id_per_token_output": np.repeat(np.arange(self.n), output),
            "output_rows": int(output.sum()), "guard_tripped": int(q.sum()) > rows}

    def verify_and_update(self):
        """5.5 and 5.7: how many drafts are right, then the slot's new state."""
        m = self.main
        m.accept_num[:] = 0
        for i in range(self.n):
            if m.stop_flags[i] or m.is_block_step[i]:
                m.stop_flags[i] = True
                m.clear(i)
                continue
            q, g = int(m.seq_lens_this_time[i]), int(m.step_idx[i])
            if m.seq_lens_encoder[i] > 0:
                q = 1
            for x in range(q):
                done = m.seq_lens_encoder[i] + m.seq_lens_decoder[i] >= self.prompt_lens[i]
                token = self.who[i].token(g + x + 1) if done else 3
                self.accept_tokens[i, x] = token
                m.accept_num[i] = x + 1
                limit = g + x + 1 >= self.max_dec_len[i]
                if limit:
                    self.accept_tokens[i, x] = EOS
                m.stop_flags[i] = limit or token == EOS
                if m.stop_flags[i] or x + 1 == q or m.draft_tokens[i, x + 1] != token:
                    break
            a = m.accept_num[i]
            m.step_idx[i] += a
            m.seq_lens_decoder[i] += m.seq_lens_encoder[i] if m.seq_lens_encoder[i] > 0 else a
            m.seq_lens_encoder[i] = 0
            m.draft_tokens[i, 0] = self.accept_tokens[i, a - 1]

    def propose(self, rows, running):
        """5.8, then M sub-steps of 5.12: the shadow state, and D[1..] for the next step."""
        m, h = self.main, self.draft
        m.draft_tokens[:self.n, 1:] = -1
        for i in range(self.n):
            h.stop_flags[i] = m.stop_flags[i] or m.step_idx[i] + M >= self.max_dec_len[i]
            if h.stop_flags[i]:
                h.clear(i)
                h.step_idx[i] = 0
            elif h.seq_lens_encoder[i] > 0:
                h.seq_lens_this_time[i] = h.seq_lens_encoder[i]
                h.step_idx[i] = m.step_idx[i] - 1
            else:
                a = h.seq_lens_this_time[i] = m.accept_num[i]
                h.seq_lens_decoder[i], h.step_idx[i] = m.seq_lens_decoder[i] - a, m.step_idx[i] - a
        self.draft_e = h.seq_lens_encoder.copy()
        self.substeps = [self.substep(j, rows, running) for j in range(M)]

    def draft_ids(self, j, rows):
        """Input ids of a sub-step: the accepted tokens, or a prompt one ahead; then padding."""
        h, ids = self.draft, []
        for i in np.flatnonzero(h.seq_lens_this_time[:self.n] > 0):
            q, d = int(h.seq_lens_this_time[i]), int(h.seq_lens_decoder[i])
            if j > 0:
                ids.append(self.main.draft_tokens[i, j])
            elif h.seq_lens_encoder[i] == 0:
                ids += list(self.accept_tokens[i, :q])
            else:
                ids += [self.who[i].text(d + x + 1) for x in range(q - 1)]
                ids.append(self.accept_tokens[i, 0])
        return np.array(ids + [PADDING] * (rows - len(ids)), np.int64)

    def substep(self, j, rows, running):
        h, blocking = self.draft, self.draft_flag
        device_sum = int(h.seq_lens_this_time.sum())
        count = device_sum if blocking else rows if j == 0 else running  # 4.2, #7406
        if count == 0:
            return {"launched": False}
        record = {"launched": True, "blocking": blocking, "token_num": count,
                  "hidden_rows": rows if j == 0 else self.n, "captured_size": 0,
                  "device_sum": device_sum, "ids_remove_padding": self.draft_ids(j, count),
                  "seq_lens_this_time": h.seq_lens_this_time.copy(),
                  "seq_lens_decoder": h.seq_lens_decoder.copy()}
        for i in np.flatnonzero(h.seq_lens_this_time[:self.n] > 0):
            token = self.who[i].draft(int(self.main.step_idx[i]), j)
            encoding = h.seq_lens_encoder[i] > 0
            h.seq_lens_decoder[i] += h.seq_lens_this_time[i]
            h.step_idx[i] += 1 if encoding else h.seq_lens_this_time[i]
            h.seq_lens_encoder[i] = 0
            self.main.draft_tokens[i, j + 1] = token
            h.seq_lens_this_time[i] = 1
        return record

    def schedule_cache(self):
        """5.12b and 5.13: the next q; parks what runs out of blocks, stops unfinished text."""
        m = self.main
        for i in range(self.n):
            if m.stop_flags[i]:
                m.seq_lens_this_time[i] = 0
                continue
            m.seq_lens_this_time[i] = (m.draft_tokens[i] != -1).sum()
            entry = (int(m.seq_lens_decoder[i]) + 2 * K + 2) // BLOCK
            if m.seq_lens_decoder[i] < self.prompt_lens[i]:
                m.stop_flags[i] = True
                m.clear(i)
                m.accept_num[i] = 0
            elif entry < TABLE and self.block_tables[i, entry] == -1:
                m.is_block_step[i] = m.stop_flags[i] = True
                self.step_q[i], self.step_d[i] = m.seq_lens_this_time[i], m.seq_lens_decoder[i]
                self.step_draft_tokens[i] = m.draft_tokens[i]
                m.seq_lens_this_time[i] = m.seq_lens_decoder[i] = m.accept_num[i] = 0

    # -- the host (4) ----------------------------------------------------------------------------

    def resolve(self):
        """4.2: the predicted pair where it is usable, else exact sums after a wait."""
        if not self.flag and min(self.cached) > 0:
            return True, *self.cached
        q = self.main.seq_lens_this_time
        return False, int(q.sum()), int((q > 0).sum())

    def predict(self):
        """4.2: what the next step is launched with, before anybody knows what it holds."""
        if self.flag:
            return -1, -1
        parked = int(self.b_cpu.sum())
        running = int((self.q_cpu > 0).sum())
        if self.bug == "predict-sum":  # #7001 as merged: a slot with few drafts may get more
            return int(self.q_cpu.sum()) + parked * W, running + parked
        return (running + parked) * W, running + parked

    def output(self):
        """What the host sends for this step: tokens of slots whose text is finished (5.14)."""
        m = self.main
        sent = (np.arange(B) < self.n) & (m.seq_lens_decoder >= self.prompt_lens)
        return {"step": self.t, "slots": self.n,
                "accept_num": np.where(sent, m.accept_num, 0).astype(np.int32),
                "accept_tokens": self.accept_tokens.copy(),
                "seq_lens_decoder": m.seq_lens_decoder.copy(),
                "request": self.holders(), "generation": self.engine.given - 1}

    def step(self):
        """One iteration in the order of 4.1. Returns what the recorder is told."""
        tasks = self.engine.schedule(self.t)
        self.insert(tasks)
        self.recover()
        record = {"t": self.t, "n": self.n, "tasks": tasks, "outcomes": [], "frees": [],
                  "messages": [], "flag_in": self.flag, "draft_flag_in": self.draft_flag,
                  "cached_in": self.cached}
        fresh_q, fresh_b = self.main.seq_lens_this_time.copy(), self.main.is_block_step.copy()
        predicted, rows, launch_bsz = self.resolve()
        record |= self.launch_record(predicted, rows, launch_bsz)
        if self.unsent is not None:  # W1, then the engine learns step t - 1
            record["messages"] = [self.unsent]
            record["outcomes"], record["frees"] = self.engine.receive(self.unsent)
            self.unsent = None
        stale = self.bug == "stale-q" and self.t == self.bug_step  # nobody waits for the copy: W2
        record["q_cpu_step"] = record["b_cpu_step"] = self.t - 1 if stale else self.t
        if not stale:
            self.q_cpu, self.b_cpu = fresh_q, fresh_b
        record |= {"seq_lens_this_time_cpu": self.q_cpu, "is_block_step_cpu": self.b_cpu}
        self.cached = record["cached_out"] = self.predict()
        running = int((fresh_q > 0).sum())
        record["real_bsz"] = running
        record["kind"] = "idle" if rows == 0 else "back" if running else "empty"
        record["output_rows_host"] = record["output_rows"] if running else -1
        if running:
            self.postprocess(record, rows, running)
        record |= {"flag_out": self.flag, "draft_flag_out": self.draft_flag}
        self.ghost = record["kind"] == "empty"
        self.t += 1
        return record

    def launch_record(self, predicted, rows, launch_bsz):
        self.pre_process(rows)
        return {"predicted": predicted, "token_num": rows, "launch_bsz": launch_bsz,
                "captured_size": 0, "p1": self.main.snapshot(), "prompt_lens": self.prompt_lens,
                "block_tables": self.block_tables, "block_rows_changed": self.rows_changed,
                "request": self.holders(), "generation": self.engine.given - 1, **self.packing}

    def postprocess(self, record, rows, running):
        self.verify_and_update()
        record |= {"p2": self.main.snapshot(), "accept_tokens": self.accept_tokens.copy()}
        self.unsent = self.output()
        self.propose(rows, running)
        self.schedule_cache()
        self.flag = self.draft_flag = False
        self.engine.in_flight[:] = [slot is not None for slot in self.engine.slots]
        record |= {"draft_e": self.draft_e, "substeps": self.substeps,
                   "shadow": self.draft.snapshot(), "p4": self.main.snapshot(),
                   "step_seq_lens_this_time": self.step_q, "step_seq_lens_decoder": self.step_d,
                   "step_draft_tokens": self.step_draft_tokens}

    def holders(self):
        return np.array([slot.id if slot else -1 for slot in self.engine.slots], np.int32)

    def keyframe(self):
        """All state between two steps: what the judge can start from."""
        engine = self.engine
        return {"t": self.t, "n": self.n, "slots": self.main.snapshot(),
                "prompt_lens": self.prompt_lens, "shadow": self.draft.snapshot(),
                "step_seq_lens_this_time": self.step_q, "step_seq_lens_decoder": self.step_d,
                "step_draft_tokens": self.step_draft_tokens, "block_tables": self.block_tables,
                "request": self.holders(), "generation": engine.given,
                "rows": [slot.row for slot in engine.slots if slot], "flag": self.flag,
                "draft_flag": self.draft_flag, "cached": self.cached,
                "seq_lens_this_time_cpu": self.q_cpu, "is_block_step_cpu": self.b_cpu,
                "ghost": self.ghost, "unsent": self.unsent, "known_d": engine.known_d,
                "known_g": engine.known_g, "in_flight": engine.in_flight}


CONFIG = {"scenario": "overlap_runner", "policy": "predict-rows-hidden", "max_num_seqs": B,
          "num_speculative_tokens": K, "num_model_steps": M, "block_size": BLOCK,
          "kv_blocks": POOL, "enc_dec_block_num": EXTRA_BLOCKS, "max_model_len": MODEL_LEN,
          "max_num_batched_tokens": BUDGET, "vocab_size": VOCAB, "padding_id": PADDING,
          "eos_ids": [EOS], "acceptance": {"kind": "list", "millionths": []}}


def workload():
    """A dozen requests: short and chunked prompts, EOS and limits, two from a P node."""
    commits = ([3, 1, 4, 2], [1, 2], [4], [2, 3, 1], [1])
    return [Request(k, 2 * k, prompt_len=5 + 11 * (k % 5), max_dec_len=14 + 5 * (k % 4),
                    eos_at=0 if k % 3 == 0 else 6 + 3 * (k % 4), commits=commits[k % 5],
                    drafts=1 if k in (4, 9) else None) for k in range(12)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("-o", "--output", required=True, help="trace to write (JSONL)")
    parser.add_argument("--bug", choices=BUGS, help="plant a bug for the judge to find")
    parser.add_argument("--bug-step", type=int, default=12, help="step of stale-q (12)")
    parser.add_argument("--digest-key", type=lambda text: int(text, 0), help="default: random")
    args = parser.parse_args()
    runner = Runner(workload(), args.bug, args.bug_step)
    recorder = None
    while runner.engine.waiting or any(runner.engine.slots) or runner.unsent is not None:
        record = runner.step()
        if recorder is None:
            recorder = Recorder(args.output, CONFIG, known=record, producer="overlap_runner",
                                device="host", digest_key=args.digest_key)
        recorder.step(record)
        if record["guard_tripped"]:
            break  # rows of this step are lost: nothing that follows means anything
        if runner.t % 32 == 0:
            recorder.keyframe(runner.keyframe())
    recorder.close(last=runner.keyframe())
    print(f"{runner.t} steps, {recorder.stalls} stalls")


if __name__ == "__main__":
    main()
