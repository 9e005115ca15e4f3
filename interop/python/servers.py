"""The servers of the suite, which say on their first line where they listen."""

import re
import subprocess

ADDRESS = re.compile(r"(?:\d+\.){3}\d+:\d+")


class Servers:
    def __init__(self, log):
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log.open("w")
        self.processes = []

    def start(self, *command):
        """Starts a server, and returns its address."""
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.processes.append(server)
        line = server.stdout.readline()
        address = ADDRESS.search(line)
        assert address, f"{command} says no address: {line!r}"
        return address.group()

    def stop(self):
        for server in self.processes:
            server.terminate()
        for server in self.processes:
            server.wait(timeout=10)
