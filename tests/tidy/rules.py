"""The rules of the repository as data: the layer table, the limits and what is banned where."""

import re

TOP_FOLDERS = ("traces", "scenarios", "kernels", "runtime", "sim", "tools", "tests")
IGNORED_FOLDERS = re.compile(r"^(\..*|build.*|local|__pycache__)$")

# The layer table (architecture section 3). A layer may use itself, the layers named here and what
# those may use. A file belongs to the longest layer that is a prefix of its folder.
LAYERS = {
    "traces/base": (),
    "traces": ("traces/base",),
    "traces/recorder": (),
    "scenarios": ("traces",),
    "kernels": ("traces/base",),
    "runtime/core": ("traces", "scenarios"),
    "runtime/ops": ("runtime/core", "kernels"),
    "runtime/host": ("runtime/ops",),
    "runtime/cuda": ("runtime/ops",),
    "sim/oracle": ("traces",),
    "sim/order": ("traces",),
    "sim/checks": ("traces", "sim/oracle"),
    "sim/engine": ("runtime/core", "scenarios", "sim/oracle", "sim/checks", "sim/order"),
    "sim/explore": ("sim/engine",),
    "sim/report": ("sim/engine", "sim/explore"),
    "sim/whatif": ("sim/engine", "sim/report"),
    "tools": ("runtime/host", "runtime/cuda", "sim/report", "sim/whatif", "traces/recorder"),
    "tests": ("tools",),
}

# The kernels folder makes two libraries; these layers may link the first only.
FORBIDDEN_TARGETS = {"runtime/host": ("tandem_kernels",)}

COLUMNS_MAX = 100
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
PURPOSE_CHARS_MIN = 12

CODE_SUFFIXES = (".cpp", ".hpp", ".cu", ".cuh")
HEADER_SUFFIXES = (".hpp", ".cuh")
# Headers that C programs include: named as C names them, without #pragma once.
C_HEADERS = ("traces/recorder/tandem_recorder.h",)
FOREIGN_SUFFIXES = (".h", ".hh", ".hxx", ".cc", ".cxx", ".c", ".inl")

# (name of the rule, pattern in code without comments and strings, folders where it is allowed, why)
BANNED = (
    ("banned-random", r"\b(?:rand|srand|rand_r|drand48|lrand48)\s*\(", (),
     "draws come from traces/base/random.hpp"),
    ("banned-random", r"\b(?:\w+_distribution|random_device|mt19937\w*|default_random_engine)\b",
     (), "results differ between C++ libraries; draws come from traces/base/random.hpp"),
    ("banned-random", r"\bstd::(?:ranges::)?(?:shuffle|sample)\b", (),
     "results differ between C++ libraries; draws come from traces/base/random.hpp"),
    ("banned-clock", r"\bsystem_clock\b|\b(?:std::)?time\s*\(\s*(?:nullptr|NULL|0)\s*\)"
     r"|\bgettimeofday\b", ("tools",), "no wall clock outside tools/"),
    ("banned-clock", r"\b(?:steady_clock|high_resolution_clock|clock_gettime)\b",
     ("tools", "tests", "runtime/cuda"), "time comes in events; tools/ and runtime/cuda/ read it"),
    ("banned-unordered", r"\bunordered_(?:multi)?(?:map|set)\b", ("tools",),
     "no order may escape from hashing: use a vector, std::map or an index"),
    ("banned-iostream", r"\bstd::(?:cout|cerr|clog|cin)\b", ("tools",),
     "return values; tools/ print"),
    ("banned-using", r"\busing\s+namespace\s+std\b", (), "write std::"),
    ("banned-files", r"\b(?:std::)?fopen\s*\(|\bstd::(?:filesystem|[io]?fstream)\b|\bmmap\s*\(",
     ("tools", "tests", "runtime/cuda", "traces/recorder"),
     "take bytes and return values; tools/ open files"),
)

# (name of the rule, pattern of the included header, folders where it is allowed, why)
BANNED_INCLUDES = (
    ("banned-iostream", r"^iostream$", ("tools",), "return values; tools/ print"),
    ("banned-files", r"^(?:fstream|filesystem|fcntl\.h|sys/mman\.h)$",
     ("tools", "tests", "runtime/cuda"), "take bytes and return values; tools/ open files"),
    ("banned-unordered", r"^unordered_(?:map|set)$", ("tools",),
     "use a vector, std::map or an index"),
    ("banned-random", r"^random$", (), "draws come from traces/base/random.hpp"),
    ("layer-package", r"^CLI/", ("tools", "tests"), "the command line lives in tools/cli"),
    ("layer-package", r"^gtest/", ("tests",), "tests live in tests/"),
)

# Optional packages: a build without them must see the same public headers.
OPTIONAL_HEADERS = re.compile(
    r"^(?:zstd(?:_errors)?\.h|zlib\.h|xxh\w*\.h|simdjson\.h|sqlite3\.h|benchmark/.*"
    r"|rapidcheck.*|nccl\.h|mpi\.h)$")

# Words of unfinished work, in code, comments, scripts and documents.
UNFINISHED = re.compile(r"\bTODO\b|\bFIXME\b|\bXXX\b|\bfor now\b|\bplaceholders?\b", re.IGNORECASE)
