"""Compares what each parser yields with heartbeats and without, and holds the tables of `docs/parsers.md`.

Usage: compare.py CASES REGISTRY=RESULTS...
"""

import json
import os
import re
import sys
from collections import defaultdict
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "parsers.md"
COLUMNS = {
    "sse": ["comment", "comment block", "event"],
    "ndjson": ["blank line", "space", "space, then the end"],
}
# In the order in which a cell names them: the worst first.
WORDS = {
    "fails": "the parser reports an error",
    "changed": "events are lost, merged or different",
    "extra": "there are more events",
    "late": "an event is yielded later",
}


def column(case):
    if case["form"] == "space" and case["place"] == "at the end":
        return "space, then the end"
    return case["form"].removeprefix("empty ")


def without_heartbeats(run):
    """The events but for heartbeats that the parser yields as events of their name."""
    return [it for it in run["events"] if not re.search(r'"event": ?"heartbeat"', it[0])]


def difference(without, with_):
    """The first of `WORDS` that applies, or None."""
    expected, events = without_heartbeats(without), without_heartbeats(with_)
    expected_texts, texts = [text for text, _ in expected], [text for text, _ in events]
    if without["error"]:
        # It is not compared what follows the error of the parser.
        if texts[: len(expected)] == expected_texts:
            return None
        return "fails" if with_["error"] else "changed"
    if with_["error"]:
        return "fails"
    if texts != expected_texts:
        rest = iter(texts)
        return "extra" if all(text in rest for text in expected_texts) else "changed"
    if any(position > limit for (_, limit), (_, position) in zip(expected, events)):
        return "late"
    return None


def read(cases, registry, file, found):
    """Adds to `found`, by format and by parser and registry: by column and word, the streams with a difference."""
    for line in file:
        parser, id, chunking, without, with_ = json.loads(line)
        case = cases[id]
        if case["stream"] == "LF" and (without[0]["error"] or len(without[0]["events"]) != 2):
            sys.exit(f"{parser} of {registry} does not read two events: {without[0]}")
        streams = found[case["format"]][parser, registry][column(case)]
        words = [difference(it, with_) for it in without]
        if None not in words:
            mildest = max(words, key=list(WORDS).index)
            streams[mildest][case["stream"]] = case, chunking, without[words.index(mildest)], with_


def cell(streams):
    return ", ".join(f"{word} ({len(streams[word])})" for word in WORDS if word in streams) or "–"


def table(format, parsers):
    lines = [f"| parser | from | {' | '.join(COLUMNS[format])} |", "|---" * (len(COLUMNS[format]) + 2) + "|"]
    for (parser, registry), columns in sorted(parsers.items(), key=lambda it: (it[0][0].lower(), it[0][1])):
        cells = [cell(columns[column]) for column in COLUMNS[format]]
        lines.append(f"| {parser} | {registry} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def streams_table(format, parsers, number):
    """In which streams, each line with the parsers that it is true of."""
    rows = defaultdict(list)
    for (parser, registry), columns in sorted(parsers.items(), key=lambda it: (it[0][0].lower(), it[0][1])):
        for column in COLUMNS[format]:
            for word in WORDS:
                if streams := columns[column].get(word):
                    names = ", ".join(streams) if len(streams) < number / 2 else f"{len(streams)} of {number} streams"
                    rows[column, word, names].append(f"{parser} ({registry})")
    lines = ["| form | difference | in | parsers |", "|---|---|---|---|"]
    order = {column: at for at, column in enumerate(COLUMNS[format])}
    for (column, word, names), parsers in sorted(rows.items(), key=lambda it: (order[it[0][0]], list(WORDS).index(it[0][1]))):
        lines.append(f"| {column} | {word} | {names} | {'; '.join(parsers)} |")
    return "\n".join(lines) + "\n"


def hold(name, text):
    """Makes sure that the page has this text, or writes it there if the environment says so."""
    begin, end = f"<!-- {name} -->\n", f"<!-- the end of {name} -->\n"
    page = PAGE.read_text()
    before, rest = page.split(begin)
    stands, after = rest.split(end)
    if "HEARTBEAT_REGENERATE" in os.environ:
        PAGE.write_text(f"{before}{begin}{text}{end}{after}")
    elif stands != text:
        print(f"docs/parsers.md is out of date; HEARTBEAT_REGENERATE=1 verify/interop/run rewrites it:\n{text}")
        return False
    return True


def example(differences):
    """For debugging: what the parsers yielded in one stream of each difference."""
    for format, parsers in differences.items():
        for parser, columns in parsers.items():
            for column, words in columns.items():
                for word, streams in words.items():
                    case, chunking, without, with_ = next(iter(streams.values()))
                    print(*parser, column, word, case["stream"], case["place"], chunking, sep=", ")
                    print(f"  without: {without}\n  with:    {with_}")


def main(cases, *results):
    with open(cases) as file:
        cases = {case["id"]: case for case in json.load(file)}
    found = defaultdict(lambda: defaultdict(lambda: defaultdict(lambda: defaultdict(dict))))
    for result in results:
        registry, _, path = result.partition("=")
        with open(path) as file:
            read(cases, registry, file, found)
    if "HEARTBEAT_EXAMPLES" in os.environ:
        example(found)
    held = []
    for format, parsers in found.items():
        number = len({case["stream"] for case in cases.values() if case["format"] == format})
        held.append(hold(f"the {format} parsers", table(format, parsers)))
        held.append(hold(f"the {format} streams", streams_table(format, parsers, number)))
        print(f"{len(parsers)} parsers of {format}, {number} streams")
    if not all(held):
        sys.exit(1)
    print("1 passed, 0 failed")


if __name__ == "__main__":
    main(*sys.argv[1:])
