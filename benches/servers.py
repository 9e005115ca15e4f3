"""Starts nginx and other servers on loopback, and reads what CPU time and memory they take."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
CONFIG = """
daemon off; pid {dir}/{name}.pid; error_log stderr crit; worker_processes {workers};
worker_rlimit_nofile 8192; events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; default_type application/octet-stream;
  client_body_temp_path {dir}/{name}-1; proxy_temp_path {dir}/{name}-2;
  fastcgi_temp_path {dir}/{name}-3; uwsgi_temp_path {dir}/{name}-4; scgi_temp_path {dir}/{name}-5;
  {http}
  server {{ listen 127.0.0.1:{port}; {server} }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"no server listens on port {port}")


class Server:
    """A listening program, and the processes that it has started.

    `log` is its RUST_LOG.
    """

    def __init__(self, command, port, log="off", stderr=None):
        self.port = port
        environment = dict(os.environ, RUST_LOG=log)
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, env=environment)
        wait_for(port)

    def processes(self):
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [str(pid), *children]

    def cpu(self):
        """CPU time so far, in seconds."""
        ticks = 0
        for pid in self.processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self, field):
        """Memory in MB, from /proc/PID/status: VmRSS, or VmHWM for the peak."""
        kilobytes = 0
        for pid in self.processes():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(field + ":"):
                    kilobytes += int(line.split()[1])
        return kilobytes / 1000

    def stop(self):
        self.process.terminate()
        self.process.wait()


def nginx(directory, name, workers, server, http="", **options):
    """Starts nginx with `server` within its server block and `http` before that block."""
    port = free_port()
    config = Path(directory, name + ".conf")
    text = CONFIG.format(dir=directory, name=name, workers=workers, port=port, server=server, http=http)
    config.write_text(text)
    command = [NGINX, "-p", directory, "-e", "stderr", "-c", str(config)]
    return Server(command, port, **options)
