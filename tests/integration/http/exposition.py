"""A strict reader of the Prometheus text format, version 0.0.4."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ([0-9.eE+-]+|\+Inf|NaN)\Z")
HEAD = re.compile(rf"# (HELP|TYPE) ({NAME}) (.+)\Z")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}


def read(text):
    """(metric name, labels as text) -> value; ValueError if anything is not as it has to be."""
    if not text.endswith("\n") or "\r" in text:
        raise ValueError("lines end with a line feed, the last one too")
    types, helps, values, family = {}, set(), {}, None
    for line in text[:-1].split("\n"):
        head, sample = HEAD.match(line), SAMPLE.match(line)
        if head and head[1] == "HELP":
            if head[2] in helps:
                raise ValueError(f"a second HELP: {line}")
            helps.add(head[2])
            family = head[2]
        elif head:
            if head[2] != family or family in types:
                raise ValueError(f"TYPE at a wrong place: {line}")
            if head[3] not in ("counter", "gauge", "histogram", "summary"):
                raise ValueError(f"an unknown type: {line}")
            if (head[3] == "counter") != family.endswith("_total"):
                raise ValueError(f"counters, and no others, end with _total: {line}")
            types[family] = head[3]
        elif sample:
            own = {family + suffix for suffix in SUFFIXES.get(types.get(family), ("",))}
            if sample[1] not in own:
                raise ValueError(f"among the samples of {family}: {line}")
            if (sample[1], sample[2]) in values:
                raise ValueError(f"a second time: {line}")
            values[sample[1], sample[2]] = float(sample[3])
        else:
            raise ValueError(f"neither comment nor sample: {line}")
    for name in (name for name, kind in types.items() if kind == "histogram"):
        check_histogram(name, values)
    return values


def check_histogram(name, values):
    series = {}
    for (metric, labels), value in values.items():
        if metric == name + "_bucket":
            rest, _, limit = labels.rpartition("le=")
            series.setdefault(rest.rstrip(","), []).append((float(limit.strip('"')), value))
    for labels, buckets in series.items():
        counts = [count for _, count in buckets]
        if buckets != sorted(buckets) or counts != sorted(counts):
            raise ValueError(f"buckets of {name} {labels} do not grow")
        if buckets[-1] != (float("inf"), values[name + "_count", labels]):
            raise ValueError(f"the last bucket of {name} {labels} is not its count")
        if (name + "_sum", labels) not in values:
            raise ValueError(f"no sum of {name} {labels}")
