#!/usr/bin/env python3
"""Frame intervals of an HTML timeline: opens PAGE#bench in headless Chromium, prints what it found.

usage: page_bench.py PAGE.html [CHROMIUM]
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

WAIT_S = 120
FOUND = "document.getElementById('bench').textContent"


class Browser:
    """Chromium behind its debugging pipe: descriptors 3 and 4, messages that end in a zero byte."""

    def __init__(self, program, profile):
        to_child, self._out = os.pipe()
        self._in, from_child = os.pipe()

        def as_three_and_four():
            # Above 4 first: either pipe may have come out as 3 or 4 itself.
            high_in, high_out = os.dup2(to_child, 63), os.dup2(from_child, 64)
            os.dup2(high_in, 3)
            os.dup2(high_out, 4)

        self._process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,900",
             f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"],
            preexec_fn=as_three_and_four, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self._held = b""
        self._last = 0

    def call(self, method, session=None, **parameters):
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._held:
                piece = os.read(self._in, 1 << 16)
                if not piece:
                    sys.exit("page_bench: the browser ended")
                self._held += piece
            text, self._held = self._held.split(b"\0", 1)
            answer = json.loads(text)
            if answer.get("id") == self._last:
                return answer["result"]

    def close(self):
        self.call("Browser.close")
        self._process.wait(30)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    program = sys.argv[2] if len(sys.argv) == 3 else shutil.which("chromium")
    if not program:
        sys.exit("page_bench: no chromium found, want one in PATH; install chromium")
    page = pathlib.Path(sys.argv[1]).resolve().as_uri() + "#bench"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        target = browser.call("Target.createTarget", url=page)["targetId"]
        session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        end = time.monotonic() + WAIT_S
        found = ""
        while not found and time.monotonic() < end:
            time.sleep(1)
            answer = browser.call("Runtime.evaluate", session, expression=FOUND)
            found = answer["result"].get("value") or ""
        browser.close()
    if not found:
        sys.exit(f"page_bench: nothing after {WAIT_S} s")
    for name, value in json.loads(found).items():
        print(f"{name:20} {value:10.2f}" if name.endswith("_ms") else f"{name:20} {value:10}")


if __name__ == "__main__":
    main()
