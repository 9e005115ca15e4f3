"""Lets the parsers from PyPI read the cases of a file, and prints what they yield.

Usage: read.py FILE
"""

import json
import logging
import sys
import warnings

import ndjson_readers
import sse
from feed import cut, decoded

warnings.simplefilter("ignore")
logging.disable()


def main(file):
    with open(file) as file:
        cases = json.load(file)
    for case in cases:
        case["segments"] = decoded(case["segments"])
        case["without"] = [decoded(segments) for segments in case["without"]]
    for format, parsers in (("sse", sse.PARSERS), ("ndjson", ndjson_readers.PARSERS)):
        for parser, (run, read) in parsers.items():
            known = {}

            def once(segments, chunking):
                chunks = tuple(cut(segments, chunking))
                if chunks not in known:
                    known[chunks] = run(read, chunks)
                return known[chunks]

            for case in cases:
                if case["format"] == format:
                    for chunking in case["chunkings"]:
                        without = [once(segments, chunking) for segments in case["without"]]
                        with_ = once(case["segments"], chunking)
                        print(json.dumps([parser, case["id"], chunking, without, with_]))


if __name__ == "__main__":
    main(*sys.argv[1:])
