"""A small validator of JSON Schema 2020-12: the keywords that traces/step.schema.json uses.

A schema with any other keyword is refused, so that nothing in it is silently not checked.
References go to definitions of the same document. Integers keep their full precision.
"""

import re

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}
ANNOTATIONS = {"$schema", "$comment", "$defs", "title", "description"}
ASSERTIONS = {"$ref", "type", "const", "enum", "minimum", "maximum", "pattern", "items", "minItems",
              "maxItems", "properties", "required", "additionalProperties", "anyOf", "oneOf"}


class Validator:
    """Checks documents against one schema. Construction refuses what it would not check."""

    def __init__(self, schema):
        self.schema = schema
        self._know(schema)

    def _know(self, schema, place="#"):
        for keyword, value in schema.items():
            if keyword not in ANNOTATIONS | ASSERTIONS:
                raise ValueError(f"{place}: keyword {keyword} is not known here")
            if keyword == "type" and value not in TYPES:
                raise ValueError(f"{place}: type {value} is not known here")
            if keyword == "additionalProperties" and value is not False:
                raise ValueError(f"{place}: additionalProperties is known as false only")
            if keyword in ("$defs", "properties"):
                for name, inner in value.items():
                    self._know(inner, f"{place}/{keyword}/{name}")
            if keyword in ("anyOf", "oneOf"):
                for index, inner in enumerate(value):
                    self._know(inner, f"{place}/{keyword}/{index}")
            if keyword == "items":
                self._know(value, f"{place}/items")
            if keyword == "$ref":
                self._resolve(value)

    def _resolve(self, reference):
        prefix, _, name = reference.rpartition("/")
        if prefix != "#/$defs" or name not in self.schema["$defs"]:
            raise ValueError(f"{reference}: no such definition")
        return self.schema["$defs"][name]

    def errors(self, value, schema=None, place=""):
        """What is wrong, as "pointer: sentence"; empty: valid."""
        schema = self.schema if schema is None else schema
        found = []
        for keyword, wanted in schema.items():
            if keyword in ASSERTIONS:
                check = getattr(self, "_" + keyword.strip("$"))
                found += check(value, wanted, schema, place)
        return found

    @staticmethod
    def _say(place, sentence):
        return [f"{place or '/'}: {sentence}"]

    def _ref(self, value, wanted, _, place):
        return self.errors(value, self._resolve(wanted), place)

    def _type(self, value, wanted, _, place):
        return [] if TYPES[wanted](value) else self._say(place, f"want type {wanted}")

    def _const(self, value, wanted, _, place):
        same = value == wanted and isinstance(value, bool) == isinstance(wanted, bool)
        return [] if same else self._say(place, f"want {wanted!r}")

    def _enum(self, value, wanted, _, place):
        return [] if value in wanted else self._say(place, f"got {value!r}, want one of {wanted}")

    def _minimum(self, value, wanted, _, place):
        small = TYPES["integer"](value) and value < wanted
        return self._say(place, f"want >= {wanted}") if small else []

    def _maximum(self, value, wanted, _, place):
        large = TYPES["integer"](value) and value > wanted
        return self._say(place, f"want <= {wanted}") if large else []

    def _pattern(self, value, wanted, _, place):
        other = isinstance(value, str) and not re.search(wanted, value)
        return self._say(place, f"want {wanted}") if other else []

    def _items(self, value, wanted, _, place):
        if not isinstance(value, list):
            return []
        return [error for index, item in enumerate(value)
                for error in self.errors(item, wanted, f"{place}/{index}")]

    def _minItems(self, value, wanted, _, place):
        short = isinstance(value, list) and len(value) < wanted
        return self._say(place, f"want >= {wanted} items") if short else []

    def _maxItems(self, value, wanted, _, place):
        long = isinstance(value, list) and len(value) > wanted
        return self._say(place, f"want <= {wanted} items") if long else []

    def _properties(self, value, wanted, _, place):
        if not isinstance(value, dict):
            return []
        return [error for name, schema in wanted.items() if name in value
                for error in self.errors(value[name], schema, f"{place}/{name}")]

    def _required(self, value, wanted, _, place):
        missing = [name for name in wanted if isinstance(value, dict) and name not in value]
        return [error for name in missing for error in self._say(place, f"want a member {name}")]

    def _additionalProperties(self, value, _, schema, place):
        known = schema.get("properties", {})
        surplus = [name for name in value if name not in known] if isinstance(value, dict) else []
        return [error for name in surplus for error in self._say(f"{place}/{name}", "unknown")]

    def _anyOf(self, value, wanted, _, place):
        tries = [self.errors(value, schema, place) for schema in wanted]
        return [] if any(not errors for errors in tries) else min(tries, key=len)

    def _oneOf(self, value, wanted, _, place):
        tries = [self.errors(value, schema, place) for schema in wanted]
        valid = sum(not errors for errors in tries)
        if valid > 1:
            return self._say(place, f"{valid} forms fit, want one")
        # The form that is meant has its own type: it is the one with the fewest complaints.
        return [] if valid == 1 else min(tries, key=len)
