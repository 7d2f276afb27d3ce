"""`python -m channels.sandbox DIRECTORY --port 8025`: serve the sandbox on this machine."""

import argparse
from pathlib import Path

import uvicorn

from channels.sandbox.app import create_app


def main() -> None:
    parser = argparse.ArgumentParser(prog="channels.sandbox", description=__doc__)
    parser.add_argument("directory", type=Path, help="where the imitated providers keep their data")
    parser.add_argument("--port", type=int, default=8025)
    parser.add_argument("--host", default="127.0.0.1", help="keep it a loopback address")
    parser.add_argument("--shop", default="", help="address of the web chat's demo page")
    arguments = parser.parse_args()
    uvicorn.run(
        create_app(arguments.directory, shop=arguments.shop),
        host=arguments.host,
        port=arguments.port,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
