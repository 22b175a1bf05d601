"""Proves tidy: every rule passes a clean tree and names its corrupted twin.

`tidy_test.py --alarm` runs tidy on a corrupted tree and exits as tidy does: it must fail.
"""

import os
import re
import sys
import tempfile
import unittest

import cpp_text
import rules
import tidy

PURPOSE = "// Says what this file is for.\n"
HEADER = PURPOSE + "#pragma once\n"

# A small repository that keeps every rule; path -> text.
CLEAN = {
    "README.md": "A clean tree.\n",
    ".ci/run": "#!/bin/bash\n",
    ".github/notes.txt": "dot folders are not ours\n",
    "build/host/old.cpp": "build folders are not read\n",
    "traces/base/CMakeLists.txt": "tandem_add_library(base\n  HEADERS hash.hpp)\n",
    "traces/base/hash.hpp": HEADER + "int hash();\n",
    "traces/CMakeLists.txt":
        "tandem_add_library(traces\n  SOURCES codec.cpp\n  HEADERS record.hpp detail/bytes.hpp)\n",
    "traces/record.hpp": HEADER + '#include <vector>\n#include "traces/base/hash.hpp"\n',
    "traces/detail/bytes.hpp": HEADER + "#include <zstd.h>\n",
    "traces/codec.cpp": PURPOSE + '#include <zstd.h>\n#include "traces/detail/bytes.hpp"\n',
    "traces/recorder/CMakeLists.txt": "tandem_add_library(recorder SOURCES tandem_recorder.cpp)\n",
    "traces/recorder/tandem_recorder.h": "/* What C programs include. */\n",
    "traces/recorder/tandem_recorder.cpp":
        PURPOSE + '#include "traces/recorder/tandem_recorder.h"\n'
                  'void f() { std::fopen("x", "wb"); }\n',
    "scenarios/CMakeLists.txt": "tandem_embed_catalog(source a.json)\n",
    "scenarios/catalog/a.json": "{}\n",
    "runtime/core/CMakeLists.txt": "tandem_add_library(runtime_core SOURCES core.cpp)\n",
    "runtime/core/core.cpp": PURPOSE + '#include "traces/record.hpp"\nint f() { return 1; }\n',
    "sim/oracle/CMakeLists.txt": "tandem_add_library(sim_oracle SOURCES oracle.cpp)\n",
    "sim/oracle/oracle.cpp": PURPOSE + '#include "traces/record.hpp"\n',
    "tools/cli/CMakeLists.txt": "tandem_add_library(cli_lib SOURCES run.cpp)\n",
    "tools/cli/run.cpp": PURPOSE + "#include <iostream>\n#include <CLI/CLI.hpp>\n"
                         "void f() { std::cout << std::chrono::system_clock::now(); }\n"
                         "std::unordered_map<int, int> by_name;\n",
    "tests/unit/CMakeLists.txt": "tandem_add_test(unit SOURCES a_test.cpp)\n",
    "tests/unit/a_test.cpp": PURPOSE + '#include <gtest/gtest.h>\n#include <filesystem>\n'
                             '#include "traces/detail/bytes.hpp"\n',
}

TARGETS = [
    {"name": "tandem_base", "kind": "library", "folder": "traces/base", "deps": [],
     "files": ["hash.hpp"]},
    {"name": "tandem_traces", "kind": "library", "folder": "traces",
     "deps": ["tandem::base", "fmt::fmt"], "files": ["codec.cpp", "record.hpp"]},
    {"name": "tandem_kernels", "kind": "library", "folder": "kernels", "deps": [], "files": []},
    {"name": "tandem_runtime_core", "kind": "library", "folder": "runtime/core",
     "deps": ["tandem::traces"], "files": ["core.cpp"]},
    {"name": "tandem_sim_oracle", "kind": "library", "folder": "sim/oracle",
     "deps": ["tandem::traces"], "files": ["oracle.cpp", "/abs/generated.cpp"]},
]


def long_function(head, lines):
    return head + " {\n" + "  step();\n" * (lines - 2) + "}\n"


def edited(*edits):
    """CLEAN with some files replaced, added (path, text) or removed (path, None)."""
    files = dict(CLEAN)
    for path, text in edits:
        files[path] = text
    return {path: text for path, text in files.items() if text is not None}


def run(files, targets=None):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return tidy.check(root, targets)


def source(body, path="sim/oracle/oracle.cpp"):
    return edited((path, PURPOSE + body))


def header(body, path="traces/record.hpp"):
    return edited((path, HEADER + body))


# rule, corrupted tree, the path that must be named
CORRUPTED = [
    ("top-folder", edited(("lib/a.txt", "x\n")), "lib/a.txt"),
    ("columns", source("// " + "x" * rules.COLUMNS_MAX + "\n"), "sim/oracle/oracle.cpp"),
    ("columns", edited((".ci/run", "#" * (rules.COLUMNS_MAX + 1) + "\n")), ".ci/run"),
    ("file-lines", source("\n" * rules.FILE_LINES_MAX), "sim/oracle/oracle.cpp"),
    ("function-lines", source(long_function("int f(int a)", rules.FUNCTION_LINES_MAX + 1)),
     "sim/oracle/oracle.cpp"),
    ("purpose", edited(("traces/record.hpp", "#pragma once\n")), "traces/record.hpp"),
    ("pragma-once", edited(("traces/record.hpp", PURPOSE)), "traces/record.hpp"),
    ("suffix", edited(("traces/old.h", PURPOSE)), "traces/old.h"),
    ("unlisted", edited(("traces/dead.cpp", PURPOSE)), "traces/dead.cpp"),
    ("unlisted", edited(("tests/unit/CMakeLists.txt", "# a_test.cpp\n")), "tests/unit/a_test.cpp"),
    ("catalog", edited(("scenarios/catalog/b.json", "{}\n")), "scenarios/catalog/b.json"),
    ("unfinished", source("// TO" "DO: later\n"), "sim/oracle/oracle.cpp"),
    ("unfinished", edited(("README.md", "Works like this for " "now.\n")), "README.md"),
    ("unfinished", edited(("tools/check", "# FIX" "ME\n")), "tools/check"),
    ("banned-random", source("int f() { return rand(); }\n"), "sim/oracle/oracle.cpp"),
    ("banned-random", source("std::uniform_int_distribution<int> d;\n"), "sim/oracle/oracle.cpp"),
    ("banned-random", source("std::random_device d;\n", "tools/cli/run.cpp"), "tools/cli/run.cpp"),
    ("banned-random", source("void f() { std::shuffle(a, b, c); }\n"), "sim/oracle/oracle.cpp"),
    ("banned-random", source("#include <random>\n"), "sim/oracle/oracle.cpp"),
    ("banned-clock", source("auto t = system_clock::now();\n"), "sim/oracle/oracle.cpp"),
    ("banned-clock", source("auto t = steady_clock::now();\n"), "sim/oracle/oracle.cpp"),
    ("banned-clock", source("auto t = time(nullptr);\n"), "sim/oracle/oracle.cpp"),
    ("banned-unordered", source("std::unordered_map<int, int> m;\n"), "sim/oracle/oracle.cpp"),
    ("banned-unordered", source("#include <unordered_set>\n"), "sim/oracle/oracle.cpp"),
    ("banned-iostream", source("#include <iostream>\n"), "sim/oracle/oracle.cpp"),
    ("banned-iostream", source("void f() { std::cerr << 1; }\n"), "sim/oracle/oracle.cpp"),
    ("banned-using", source("using namespace std;\n"), "sim/oracle/oracle.cpp"),
    ("banned-files", source("#include <fstream>\n"), "sim/oracle/oracle.cpp"),
    ("banned-files", source('void f() { std::fopen("x", "r"); }\n'), "sim/oracle/oracle.cpp"),
    ("optional-header", header("#include <zstd.h>\n"), "traces/record.hpp"),
    ("include-form", header('#include "hash.hpp"\n'), "traces/record.hpp"),
    ("include-form", header("#include <traces/base/hash.hpp>\n"), "traces/record.hpp"),
    ("layer-include", source('#include "runtime/core/core.hpp"\n'), "sim/oracle/oracle.cpp"),
    ("layer-include", header('#include "traces/record.hpp"\n', "traces/base/hash.hpp"),
     "traces/base/hash.hpp"),
    ("layer-include", source('#include "sim/oracle/o.hpp"\n', "runtime/core/core.cpp"),
     "runtime/core/core.cpp"),
    ("layer-include", source('#include "tests/support/a.hpp"\n', "tools/cli/run.cpp"),
     "tools/cli/run.cpp"),
    ("layer-include",
     source('#include "traces/base/hash.hpp"\n', "traces/recorder/tandem_recorder.cpp"),
     "traces/recorder/tandem_recorder.cpp"),
    ("columns", edited(("traces/recorder/tandem_recorder.h", "x" * (rules.COLUMNS_MAX + 1))),
     "traces/recorder/tandem_recorder.h"),
    ("suffix", edited(("traces/recorder/more.h", PURPOSE)), "traces/recorder/more.h"),
    ("detail-include", source('#include "traces/detail/bytes.hpp"\n'), "sim/oracle/oracle.cpp"),
    ("layer-package", source("#include <CLI/CLI.hpp>\n"), "sim/oracle/oracle.cpp"),
    ("layer-package", source("#include <gtest/gtest.h>\n"), "sim/oracle/oracle.cpp"),
]


class CleanTree(unittest.TestCase):
    def test_has_no_findings(self):
        findings, read = run(CLEAN, TARGETS)
        self.assertEqual(findings, [])
        self.assertEqual(read, 20)

    def test_ignores_comments_and_literals(self):
        body = ('// rand() and std::random_device\n/* using namespace std; */\n'
                'const char* a = "std::cout << rand()";\nconst char* b = R"x(rand() " {)x";\n'
                "const int c = 1'000'000;\nconst char d = '{';\n")
        self.assertEqual(run(source(body))[0], [])

    def test_limits_are_inclusive(self):
        body = long_function("int f()", rules.FUNCTION_LINES_MAX)
        body += "// " + "x" * (rules.COLUMNS_MAX - 3) + "\n"
        body += "\n" * (rules.FILE_LINES_MAX - 1 - body.count("\n"))
        self.assertEqual(run(source(body))[0], [])


class CorruptedTree(unittest.TestCase):
    def test_every_twin_is_named(self):
        for rule, files, path in CORRUPTED:
            with self.subTest(rule=rule, path=path):
                findings, _ = run(files)
                self.assertEqual({(f[0], f[2]) for f in findings}, {(path, rule)})

    def test_every_rule_has_a_twin(self):
        with open(tidy.__file__, encoding="utf-8") as file:
            reported = set(re.findall(r'report\([^"]*?"([a-z]+(?:-[a-z]+)*)"', file.read()))
        reported |= {row[0] for row in rules.BANNED + rules.BANNED_INCLUDES}
        self.assertEqual(reported - {row[0] for row in CORRUPTED}, {"layer-link"})


class Targets(unittest.TestCase):
    def findings(self, name, deps, files=CLEAN):
        targets = [dict(target) for target in TARGETS]
        next(target for target in targets if target["name"] == name)["deps"] = deps
        return [(f[0], f[2]) for f in run(files, targets)[0]]

    def test_forbidden_link_is_named(self):
        self.assertEqual(self.findings("tandem_sim_oracle", ["tandem::runtime_core"]),
                         [("sim/oracle/CMakeLists.txt", "layer-link")])

    def test_link_through_another_target_is_named(self):
        listing = "sim/oracle/CMakeLists.txt"
        named = self.findings("tandem_traces", ["tandem::base", "tandem::runtime_core"])
        self.assertIn((listing, "layer-link"), named)
        self.assertIn(("traces/CMakeLists.txt", "layer-link"), named)

    def test_missing_link_is_named(self):
        self.assertEqual(self.findings("tandem_sim_oracle", ["fmt::fmt"]),
                         [("sim/oracle/oracle.cpp", "layer-link")])

    def test_cuda_kernels_are_closed_to_the_host_device(self):
        targets = TARGETS + [{"name": "tandem_runtime_host", "kind": "library",
                              "folder": "runtime/host", "deps": ["tandem::kernels"], "files": []}]
        findings, _ = run(CLEAN, targets)
        self.assertEqual([f[2] for f in findings], ["layer-link"])


class LayerTable(unittest.TestCase):
    def test_has_no_cycle(self):
        for layer in rules.LAYERS:
            for below in rules.LAYERS[layer]:
                self.assertNotIn(layer, tidy.layers_below(below))

    def test_judge_never_reaches_the_judged(self):
        for judge in ("sim/oracle", "sim/checks", "sim/order"):
            self.assertLessEqual(tidy.layers_below(judge),
                                 {judge, "sim/oracle", "traces", "traces/base"})

    def test_studies_never_reach_devices(self):
        for study in ("sim/engine", "sim/whatif", "sim/explore", "sim/report"):
            self.assertFalse(tidy.layers_below(study) & {"kernels", "runtime/host", "runtime/cuda"})


class Functions(unittest.TestCase):
    def names(self, text):
        return [(name, last - first + 1) for first, last, name in cpp_text.functions(text)]

    def test_are_found_in_scopes(self):
        self.assertEqual(self.names(
            "namespace a {\nclass B final : public C {\n public:\n  int f() const {\n  }\n};\n"
            "template <class T>\nauto g(T x) -> int {\n  if (x) {\n  }\n}\n}\n"),
            [("f", 2), ("g", 5)])

    def test_constructor_with_braced_members_is_one_function(self):
        self.assertEqual(self.names("A::A(int x) : x_{x}, y_{0} {\n  f();\n}\n"), [("A::A", 3)])

    def test_tables_and_enumerations_are_none(self):
        self.assertEqual(self.names(
            "enum class E : int {\n a,\n b\n};\nconstexpr int kTable[] = {\n1,\n2\n};\n"
            "struct S {\n  int a{1};\n  std::vector<int> b{f(2)};\n};\n#define X(a) { a\n"), [])

    def test_gtest_bodies_count(self):
        self.assertEqual(self.names("TEST(Subject, Outcome) {\n  EXPECT_TRUE(x);\n}\n"),
                         [("TEST", 3)])

    def test_reference_qualified_members_count(self):
        self.assertEqual(self.names("struct A {\n T& f() & {\n }\n T&& f() const&& {\n }\n};\n"),
                         [("f", 2), ("f", 2)])

    def test_a_function_after_a_table_counts(self):
        self.assertEqual(self.names("const A k{{1, 2}, {3}};\nint f(A a = {}) {\n}\n"), [("f", 2)])


def alarm():
    findings, _ = run(source("int f() { return rand(); }\n"))
    print(findings)
    return 1 if findings else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--alarm"]:
        sys.exit(alarm())
    unittest.main()
