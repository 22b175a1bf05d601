"""Checks that the tree keeps its own rules: layers, limits, banned calls. Exit 0 clean, 1 findings.

usage: tidy.py ROOT [--targets FILE]

FILE is the list of CMake targets that the configure step writes (tandem_targets.json). Every
finding is one line: path:line: [rule] what was found, what to do.
"""

import argparse
import json
import os
import re
import sys

import cpp_text
import rules


class Tree:
    """The files of the repository, as root-relative paths."""

    def __init__(self, root):
        self.root = root
        self.files = []
        for folder, subfolders, names in os.walk(root):
            at_root = folder == root
            subfolders[:] = sorted(
                name for name in subfolders
                if not rules.IGNORED_FOLDERS.match(name) or (at_root and name == ".ci"))
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), root)
                if not os.path.islink(os.path.join(root, path)):
                    self.files.append(path)

    def read(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8") as file:
            return file.read()

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))


def is_in(path, folders):
    return any(path.startswith(folder + "/") for folder in folders)


def layer_of(path):
    """The layer that a file or folder belongs to, or None."""
    best = None
    for layer in rules.LAYERS:
        if (path + "/").startswith(layer + "/") and (best is None or len(layer) > len(best)):
            best = layer
    return best


def layers_below(layer):
    """The layer itself and everything it may use."""
    seen = {layer}
    todo = [layer]
    while todo:
        for below in rules.LAYERS[todo.pop()]:
            if below not in seen:
                seen.add(below)
                todo.append(below)
    return seen


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def check_folders(tree, report):
    for path in tree.files:
        top = path.split("/")[0]
        if "/" in path and top not in rules.TOP_FOLDERS and top != ".ci":
            known = ", ".join(rules.TOP_FOLDERS)
            report(path, 1, "top-folder", f"{top}/ is none of {known}")


def check_text(path, text, report):
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > rules.COLUMNS_MAX:
            report(path, number, "columns", f"{len(line)} columns, want <= {rules.COLUMNS_MAX}")
    lines = text.count("\n")
    if lines > rules.FILE_LINES_MAX:
        report(path, lines, "file-lines",
               f"{lines} lines, want <= {rules.FILE_LINES_MAX}: split it")


def check_unfinished(path, text, report):
    for number, line in enumerate(text.split("\n"), 1):
        match = rules.UNFINISHED.search(line)
        if match:
            report(path, number, "unfinished", f'"{match.group()}": finish it or open an issue')


def check_header(path, text, report):
    first = text.split("\n", 1)[0]
    if not first.startswith("//") or len(first.lstrip("/ ")) < rules.PURPOSE_CHARS_MIN:
        report(path, 1, "purpose", "the first line must be a comment that tells the file's purpose")
    once = re.search(r"^#pragma once$", text, re.MULTILINE)
    if path.endswith(rules.HEADER_SUFFIXES) and not once:
        report(path, 1, "pragma-once", "a header needs #pragma once")


def check_functions(path, text, report):
    for first, last, name in cpp_text.functions(text):
        lines = last - first + 1
        if lines > rules.FUNCTION_LINES_MAX:
            report(path, first, "function-lines",
                   f"{name} has {lines} lines, want <= {rules.FUNCTION_LINES_MAX}")


def check_banned(path, text, report):
    code = cpp_text.blank(text)
    for rule, pattern, allowed, why in rules.BANNED:
        if is_in(path, allowed):
            continue
        for match in re.finditer(pattern, code):
            report(path, line_of(code, match.start()), rule, f"{match.group().strip()}: {why}")


def check_includes(path, text, report):
    allowed_layers = layers_below(layer_of(path)) if layer_of(path) else set()
    public = path.endswith(rules.HEADER_SUFFIXES) and "/detail/" not in path
    for number, quoted, header in cpp_text.includes(text):
        for rule, pattern, allowed, why in rules.BANNED_INCLUDES:
            if re.match(pattern, header) and not is_in(path, allowed):
                report(path, number, rule, f"<{header}>: {why}")
        if public and rules.OPTIONAL_HEADERS.match(header):
            report(path, number, "optional-header",
                   f"<{header}> in a public header: an optional package belongs to sources")
        if quoted:
            check_own_include(path, number, header, allowed_layers, report)
        elif header.split("/")[0] in rules.TOP_FOLDERS:
            report(path, number, "include-form", f'<{header}>: write "{header}"')


def check_own_include(path, number, header, allowed_layers, report):
    layer = layer_of(os.path.dirname(header))
    if layer is None:
        report(path, number, "include-form", f'"{header}": write the path from the root')
        return
    if layer not in allowed_layers:
        report(path, number, "layer-include",
               f'{layer_of(path)} may not use {layer} ("{header}")')
    owner, found, _ = header.partition("/detail/")
    if found and not is_in(path, (owner, "tests")):
        report(path, number, "detail-include", f'"{header}" is private to {owner}/')


def check_listed(tree, path, report):
    """Every source is listed by hand, in the nearest CMakeLists.txt above it."""
    folder = os.path.dirname(path)
    while folder and not tree.exists(os.path.join(folder, "CMakeLists.txt")):
        folder = os.path.dirname(folder)
    listing = os.path.join(folder, "CMakeLists.txt")
    name = os.path.relpath(path, folder or ".")
    if not tree.exists(listing):
        report(path, 1, "unlisted", "no CMakeLists.txt above it")
    elif name not in re.sub(r"#.*", "", tree.read(listing)).replace(")", " ").split():
        report(path, 1, "unlisted", f"not listed in {listing}: it is never built")


def check_catalog(tree, report):
    listing = "scenarios/CMakeLists.txt"
    words = tree.read(listing).replace(")", " ").split() if tree.exists(listing) else []
    for path in tree.files:
        folder, name = os.path.split(path)
        if folder == "scenarios/catalog" and name.endswith(".json") and name not in words:
            report(path, 1, "catalog", f"not registered in {listing}")


def closure(name, by_name):
    """Every Tandem target that this one links, through others too."""
    seen = set()
    todo = [name]
    while todo:
        for dep in by_name[todo.pop()]["deps"]:
            target = dep.replace("::", "_")
            if target in by_name and target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def check_targets(tree, targets, report):
    by_name = {target["name"]: target for target in targets}
    owner = {}
    for target in targets:
        listing = target["folder"] + "/CMakeLists.txt"
        layer = layer_of(target["folder"])
        if layer is None:
            report(listing, 1, "layer-link", f"{target['name']}: its folder is in no layer")
            continue
        for dep in closure(target["name"], by_name):
            below = layer_of(by_name[dep]["folder"])
            if below not in layers_below(layer) or dep in rules.FORBIDDEN_TARGETS.get(layer, ()):
                report(listing, 1, "layer-link", f"{target['name']} may not link {dep}")
        for file in target["files"]:
            owner[os.path.normpath(os.path.join(target["folder"], file))] = target["name"]
    providers = {}
    for target in targets:
        if target["kind"] == "library":
            providers.setdefault(layer_of(target["folder"]), set()).add(target["name"])
    for path, name in owner.items():
        if path.startswith("/") or not tree.exists(path):
            continue
        linked = closure(name, by_name) | {name}
        for number, quoted, header in cpp_text.includes(tree.read(path)):
            layer = layer_of(os.path.dirname(header)) if quoted else None
            if layer in (None, "tests", layer_of(path)) or layer not in providers:
                continue
            if not linked & providers[layer]:
                report(path, number, "layer-link", f'{name} does not link the target of "{header}"')


def is_script(path):
    return path == ".ci/run" or (path.startswith("tools/") and "." not in os.path.basename(path))


def check(root, targets=None):
    """All findings as (path, line, rule, text), and the number of files that were read."""
    tree = Tree(root)
    findings = []
    read = 0

    def report(path, line, rule, text):
        findings.append((path, line, rule, text))

    check_folders(tree, report)
    check_catalog(tree, report)
    for path in tree.files:
        code = path.endswith(rules.CODE_SUFFIXES)
        build = path.endswith((".cmake", ".py", "CMakeLists.txt")) or is_script(path)
        if path.endswith(rules.FOREIGN_SUFFIXES) and path not in rules.C_HEADERS:
            report(path, 1, "suffix", f"want one of {', '.join(rules.CODE_SUFFIXES)}")
        build = build or path in rules.C_HEADERS
        if not code and not build and not path.endswith(".md"):
            continue
        text = tree.read(path)
        read += 1
        if not is_in(path, ("tests/tidy",)):
            check_unfinished(path, text, report)
        if code or build:
            check_text(path, text, report)
        if code:
            for rule in (check_header, check_functions, check_banned, check_includes):
                rule(path, text, report)
            check_listed(tree, path, report)
    if targets is not None:
        check_targets(tree, targets, report)
    return sorted(findings), read


def main():
    parser = argparse.ArgumentParser(description="Checks the repository against its own rules")
    parser.add_argument("root")
    parser.add_argument("--targets", help="tandem_targets.json of a build directory")
    args = parser.parse_args()
    targets = None
    if args.targets:
        with open(args.targets, encoding="utf-8") as file:
            targets = json.load(file)
    findings, read = check(os.path.abspath(args.root), targets)
    for path, line, rule, text in findings:
        print(f"{path}:{line}: [{rule}] {text}")
    if read == 0:
        print(f"tidy: {args.root}: no files to check")
        return 2
    print(f"tidy: {read} files, {len(targets or ())} targets, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
