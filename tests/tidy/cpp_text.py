"""Reads C++ text well enough for tidy: blanks comments and literals, finds includes, functions."""

import re

_TOKEN = re.compile(
    r"""(?P<raw>\b(?:u8|[uUL])?R"(?P<delim>[^()\\\s]{0,16})\(.*?\)(?P=delim)")"""
    r"""|(?P<line>//[^\n]*)"""
    r"""|(?P<block>/\*.*?\*/)"""
    r"""|(?P<string>"(?:\\.|[^"\\\n])*")"""
    r"""|(?P<number>\b\d[\w'.]*)"""
    r"""|(?P<char>'(?:\\.|[^'\\\n])+')""",
    re.DOTALL)


def blank(text, keep_strings=False):
    """The text with comments (and literals, unless kept) as spaces; every newline stays."""

    def replace(match):
        if match.lastgroup == "number":
            return match.group()
        literal = match.group("raw") or match.group("string") or match.group("char")
        if literal and keep_strings:
            return match.group()
        return re.sub(r"[^\n]", " ", match.group())

    return _TOKEN.sub(replace, text)


def includes(text):
    """(line number, quoted?, header) of every include."""
    found = []
    for number, line in enumerate(blank(text, keep_strings=True).split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
        if match:
            found.append((number, match.group(1) is not None, match.group(1) or match.group(2)))
    return found


def _without_directives(code):
    """Preprocessor lines as empty lines, so that their braces do not count."""
    lines = code.split("\n")
    continued = False
    for i, line in enumerate(lines):
        directive = continued or line.lstrip().startswith("#")
        continued = directive and line.endswith("\\")
        if directive:
            lines[i] = ""
    return "\n".join(lines)


_SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum|extern)\b")
_TAIL = re.compile(
    r"(?:\)|\)\s*(?:const\s*)?&{1,2}|\b(?:const|noexcept|override|final|mutable|try))$")
_LABEL = re.compile(r"\s*(?:(?:public|protected|private)\s*:(?!:)\s*)*")
_INITIALISERS = re.compile(r"\)\s*(?:noexcept\s*(?:\([^)]*\))?\s*)?:(?!:)")


def _opens(head):
    """What the brace after this text opens: "scope", "function" or "value"."""
    text = " ".join(head[_LABEL.match(head).end():].split())
    while text.startswith("template"):  # skip the parameter list: it may name "class"
        depth = 0
        for i, char in enumerate(text):
            depth += (char == "<") - (char == ">")
            if char == ">" and depth == 0:
                break
        text = text[i + 1:].strip()
    before_parameters = text.split("(")[0]
    if _SCOPE.search(before_parameters) and "=" not in before_parameters and (
            "(" not in text or not _TAIL.search(text)):
        return "scope"
    if "(" not in text or re.search(r"(?:=|return|,|\()$", text):
        return "value"
    if _INITIALISERS.search(text):  # a constructor: member{...} values come before the body
        return "function" if re.search(r"[)}]$", text) else "value"
    if _TAIL.search(text) or re.search(r"\)[^()]*->[^()]*(?:\([^()]*\))?[^()=]*$", text):
        return "function"
    if re.search(r"\brequires\b", text):
        return "function"
    return "value"


def functions(text):
    """(first line, last line, name) of every outermost function body."""
    code = _without_directives(blank(text))
    found = []
    stack = []  # kinds of the open braces
    head_start = 0  # where the declaration that leads to the next brace begins
    depth_in_function = 0
    start = 0
    for i, char in enumerate(code):
        if depth_in_function:
            depth_in_function += (char == "{") - (char == "}")
            if depth_in_function == 0:
                label = _LABEL.match(code, start)
                head = code[label.end():i]
                first = code.count("\n", 0, label.end()) + 1
                name = re.search(r"([\w~:]+|operator\S+)\s*\(", head)
                found.append((first, code.count("\n", 0, i) + 1, name.group(1) if name else "?"))
                head_start = i + 1
        elif char == "{":
            kind = _opens(code[head_start:i])
            if kind == "function":
                depth_in_function = 1
                start = head_start
            else:
                stack.append((kind, head_start))
                if kind == "scope":
                    head_start = i + 1
        elif char == "}":
            kind, opened_at = stack.pop() if stack else ("scope", 0)
            head_start = i + 1 if kind == "scope" else opened_at
        elif char == ";" and not (stack and stack[-1][0] == "value"):
            head_start = i + 1
    return found
