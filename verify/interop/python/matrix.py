"""The matrix of `docs/interop.md`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import grpc

import nginx

PAGE = Path(__file__).parents[3] / "docs" / "interop.md"
BEGIN, END = "<!-- the matrix -->\n", "<!-- the end of the matrix -->\n"


def matrix(rows):
    """The rows are lanes, each with how its stream ended without heartbeats."""
    lines = [
        "| server | client | client to nginx | nginx to server | stream | without heartbeats | with |",
        "|---|---|---|---|---|---|---|",
    ]
    for lane, how in rows:
        way = f"{lane.server} | {lane.client} | {lane.below} | {lane.above} | {lane.protocol}"
        lines.append(f"| {way} | cut: {how} | lives |")
    return "\n".join(lines) + "\n"


def without_words(matrix):
    """How a client words it depends on its version, and proves nothing."""
    return re.sub(r"cut: [^|]*", "cut ", matrix)


def compare(matrix, versions):
    """Makes sure that the page has this matrix, or writes it there if the environment says so."""
    before, rest = PAGE.read_text().split(BEGIN)
    stands, after = rest.split(END)
    if "HEARTBEAT_REGENERATE" in os.environ:
        curl = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True)
        versions = {
            "nginx": nginx.version(),
            "curl": curl.stdout.split()[1],
            "grpcio": grpc.__version__,
        } | versions
        versions = ", ".join(f"{name} {version}" for name, version in versions.items())
        PAGE.write_text(f"{before}{BEGIN}{matrix}\nLast written with {versions}.\n{END}{after}")
    elif without_words(stands.split("\n\n")[0] + "\n") != without_words(matrix):
        sys.exit(
            f"docs/interop.md says otherwise; HEARTBEAT_REGENERATE=1 verify/interop/run rewrites it:\n{matrix}"
        )
