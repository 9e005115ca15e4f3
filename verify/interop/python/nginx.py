"""Debian's nginx with its default configuration, except ports, files and a read timeout of two seconds."""

import random
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

DEFAULT_CONFIG = Path("/etc/nginx/nginx.conf")
SITES = "include /etc/nginx/sites-enabled/*;"
READ_TIMEOUT = "2s"

# An empty page for a browser. The test runs its scripts on it.
PAGE = 'location = /page { default_type text/html; return 200 "<!doctype html><title>page</title>"; }'


@dataclass(frozen=True)
class NginxAddresses:
    """The addresses of nginx for one server: HTTP/1.1, HTTP/2 without TLS, and TLS."""

    http1: str
    h2c: str
    tls: str


class Nginx:
    def __init__(self, folder):
        self.folder = Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.servers = []
        self.process = None

    def add_server(self, upstream, upstream_protocol):
        """Proxies the server at `upstream`, and returns the addresses for clients."""
        if upstream_protocol == "gRPC":
            directives = f"grpc_pass grpc://{upstream}; grpc_read_timeout {READ_TIMEOUT};"
        else:
            directives = f"proxy_pass http://{upstream}; proxy_read_timeout {READ_TIMEOUT};"
            if upstream_protocol == "HTTP/1.1":  # the default is 1.0
                directives += " proxy_http_version 1.1;"
        http1, h2c, tls = (f"127.0.0.1:{port}" for port in free_ports(3))
        certificate = "ssl_certificate certificate.pem; ssl_certificate_key key.pem;"
        self.servers.append(
            f"server {{ listen {http1}; listen {h2c} http2; listen {tls} ssl http2; {certificate}"
            f" {PAGE} location / {{ {directives} }} }}"
        )
        return NginxAddresses(http1, h2c, tls)

    def start(self):
        config = DEFAULT_CONFIG.read_text()
        assert SITES in config, f"{DEFAULT_CONFIG} is not Debian's default"
        config = config.replace(SITES, "\n".join(self.servers))
        config = config.replace("/var/log/nginx/", f"{self.folder}/")
        config = config.replace("/run/nginx.pid", f"{self.folder}/nginx.pid")
        (self.folder / "nginx.conf").write_text(config)
        create_certificate(self.folder)
        self.process = subprocess.Popen(
            ["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf", "-g", "daemon off;"]
        )
        for server in self.servers:
            wait_until_listening(server.split()[3].rstrip(";"))

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=10)


def version():
    """The version, for example 1.22.1."""
    output = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return output.rsplit("/", 1)[-1].strip()


def create_certificate(folder):
    """A self-signed certificate; the clients do not verify it."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True,
        capture_output=True,
    )


# Below the range of ephemeral ports. Each port is used once.
PORTS = iter(random.sample(range(20000, 32000), 12000))


def free_ports(number):
    """Ports on which no process listens."""
    found = []
    while len(found) < number:
        port = next(PORTS)
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", port))
                found.append(port)
            except OSError:
                continue
    return found


def wait_until_listening(address, timeout=20):
    host, port = address.rsplit(":", 1)
    deadline = time.monotonic() + timeout
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
