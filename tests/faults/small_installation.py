"""A supervisor with two small programs in place of the product's, to be killed: `python small_installation.py`."""

import sys

from inbox.keeper import Program
from inbox.settings import from_environment
from inbox.supervisor import Supervisor, serve

POLITE = """
import os, signal
def bye(*_):
    print("goes in peace", flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, bye)
print("here as", os.getpid(), flush=True)
"""
WEB = f"""{POLITE}
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""
WORKER = f"""{POLITE}
while True:
    signal.pause()
"""
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: signal.pause()"
REFUSING = "print('REDIS_URL is wrong.', flush=True); raise SystemExit(2)"


def program(name: str, text: str, health: str | None = None) -> Program:
    return Program(name, [sys.executable, "-c", text], health=health)


INSTALLATIONS = {
    "polite": [program("worker", WORKER), program("web", WEB, "/health/ready")],
    "stubborn": [program("worker", STUBBORN), program("web", WEB, "/health/ready")],
    "refusing": [program("worker", REFUSING)],
}

if __name__ == "__main__":
    preparation = program("migrate", "print('migrated', flush=True)")
    sys.exit(serve(Supervisor(from_environment(), INSTALLATIONS[sys.argv[1]], preparation=preparation)))
