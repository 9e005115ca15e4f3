"""Debian's nginx at its defaults, but for its ports, its files and two seconds of patience."""

import random
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

DEBIANS = Path("/etc/nginx/nginx.conf")
SITES = "include /etc/nginx/sites-enabled/*;"
PATIENCE = "2s"

# A page for a browser, with nothing on it: what it does comes from outside.
PAGE = 'location = /page { default_type text/html; return 200 "<!doctype html><title>page</title>"; }'


@dataclass(frozen=True)
class Front:
    """Where clients find a server by way of nginx."""

    http1: str
    h2c: str
    tls: str


class Nginx:
    def __init__(self, folder):
        self.folder = Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.servers = []
        self.process = None

    def front(self, upstream, above):
        """A front for a server at `upstream`, to which nginx speaks as `above` says."""
        if above == "gRPC":
            way = f"grpc_pass grpc://{upstream}; grpc_read_timeout {PATIENCE};"
        else:
            way = f"proxy_pass http://{upstream}; proxy_read_timeout {PATIENCE};"
            if above == "HTTP/1.1":  # the default is 1.0
                way += " proxy_http_version 1.1;"
        http1, h2c, tls = (f"127.0.0.1:{port}" for port in free_ports(3))
        certificate = "ssl_certificate certificate.pem; ssl_certificate_key key.pem;"
        self.servers.append(
            f"server {{ listen {http1}; listen {h2c} http2; listen {tls} ssl http2; {certificate}"
            f" {PAGE} location / {{ {way} }} }}"
        )
        return Front(http1, h2c, tls)

    def start(self):
        config = DEBIANS.read_text()
        assert SITES in config, f"{DEBIANS} is not Debian's"
        config = config.replace(SITES, "\n".join(self.servers))
        config = config.replace("/var/log/nginx/", f"{self.folder}/")
        config = config.replace("/run/nginx.pid", f"{self.folder}/nginx.pid")
        (self.folder / "nginx.conf").write_text(config)
        certify(self.folder)
        self.process = subprocess.Popen(
            ["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf", "-g", "daemon off;"]
        )
        for listens in self.servers:
            wait_until_listening(listens.split()[3].rstrip(";"))

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=10)


def version():
    """As in 1.22.1."""
    told = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return told.rsplit("/", 1)[-1].strip()


def certify(folder):
    """A self-signed certificate; the clients do not verify it."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True,
        capture_output=True,
    )


# From below those that the system gives away by itself; none is given away twice.
PORTS = iter(random.sample(range(20000, 32000), 12000))


def free_ports(number):
    """Ports on which nothing listens."""
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


def wait_until_listening(address, patience=20):
    host, port = address.rsplit(":", 1)
    until = time.monotonic() + patience
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
