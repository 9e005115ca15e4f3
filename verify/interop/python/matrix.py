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
    """Formats the table. A row is a route, and how its stream without heartbeats was cut."""
    lines = [
        "| server | client | client to nginx | nginx to server | stream | without heartbeats | with |",
        "|---|---|---|---|---|---|---|",
    ]
    for route, reason in rows:
        cells = f"{route.server} | {route.client} | {route.client_protocol} | {route.upstream_protocol} | {route.format}"
        lines.append(f"| {cells} | cut: {reason} | lives |")
    return "\n".join(lines) + "\n"


def without_reasons(matrix):
    """Removes the error messages of the clients, which depend on their versions."""
    return re.sub(r"cut: [^|]*", "cut ", matrix)


def compare(matrix, versions):
    """Checks that the page contains this matrix, or rewrites the page if `HEARTBEAT_REGENERATE` is set."""
    before, rest = PAGE.read_text().split(BEGIN)
    current, after = rest.split(END)
    if "HEARTBEAT_REGENERATE" in os.environ:
        curl = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True)
        versions = {
            "nginx": nginx.version(),
            "curl": curl.stdout.split()[1],
            "grpcio": grpc.__version__,
        } | versions
        versions = ", ".join(f"{name} {version}" for name, version in versions.items())
        PAGE.write_text(f"{before}{BEGIN}{matrix}\nLast written with {versions}.\n{END}{after}")
    elif without_reasons(current.split("\n\n")[0] + "\n") != without_reasons(matrix):
        sys.exit(
            f"docs/interop.md is out of date; HEARTBEAT_REGENERATE=1 verify/interop/run rewrites it. New matrix:\n{matrix}"
        )
