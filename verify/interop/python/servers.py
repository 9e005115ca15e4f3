"""Starts and stops the servers. Most of them print their address in the first line."""

import re
import subprocess

from nginx import wait_until_listening

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
        addresses = ADDRESS.findall(line)
        assert addresses, f"{command} printed no address: {line!r}"
        return addresses[-1]  # a proxy prints its upstream first

    def start_at(self, address, *command):
        """Starts a server that prints no address, and waits until it listens on the given address."""
        self.processes.append(subprocess.Popen(command, stdout=self.log, stderr=self.log))
        wait_until_listening(address)
        return address

    def stop(self):
        for server in self.processes:
            server.terminate()
        for server in self.processes:
            server.wait(timeout=10)
