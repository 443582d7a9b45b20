"""A local Filecoin for tests: starts ``edgefvm dev``, speaks JSON-RPC to it, and stops it.

    from edgefvm import Node

    with Node("--miners", "1") as node:
        node.request("eth_blockNumber")
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import urllib.request
from typing import Any, Sequence

__all__ = ["Node", "RPCError", "binary", "main"]


def binary() -> str:
    """The path of the program. EDGEFVM_BINARY names another."""
    if path := os.environ.get("EDGEFVM_BINARY"):
        return path
    name = "edgefvm.exe" if sys.platform == "win32" else "edgefvm"
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", name)
    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no {path}: install a wheel for this platform, or name a program in EDGEFVM_BINARY")
    return path


class RPCError(Exception):
    """An error that the node answered with."""

    def __init__(self, code: int, message: str, data: Any = None):
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class Node:
    """A node that runs, at a port that is free unless port says otherwise. It ends with stop, or at the end of a with."""

    def __init__(self, *args: str, port: int = 0, timeout: float = 60.0):
        command: Sequence[str] = [binary(), "dev", "--port", str(port), "--json-log", *args]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._id = 0
        events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        errors: list[str] = []

        def read() -> None:
            # All is read to the end, so that the node never waits for its log.
            said = False
            for line in self._process.stdout or ():
                if not said and line.startswith("{"):
                    event = json.loads(line)
                    if event.get("event") == "started":
                        said = True
                        events.put(event)
            events.put(None)

        def read_errors() -> None:
            for line in self._process.stderr or ():
                errors.append(line)
                del errors[:-50]

        self._readers = [threading.Thread(target=read, daemon=True), threading.Thread(target=read_errors, daemon=True)]
        for t in self._readers:
            t.start()
        try:
            started = events.get(timeout=timeout)
            why = "it ended"
        except queue.Empty:
            started, why = None, f"no answer within {timeout:g} s"
        if started is None:
            self._process.kill()
            self._process.wait()
            self._readers[1].join(1)
            raise RuntimeError(f"edgefvm dev did not start: {why}\n{''.join(errors)}".strip())
        self.url: str = started["url"]
        self.websocket_url: str = started["websocket"]
        self.chain_id: int = started["chain_id"]
        self.accounts: list[dict[str, Any]] = started["accounts"]

    def request(self, method: str, *params: Any) -> Any:
        """One request of JSON-RPC. An error of the node's is raised as RPCError."""
        self._id += 1
        body = json.dumps({"jsonrpc": "2.0", "id": self._id, "method": method, "params": list(params)}).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url, body, {"Content-Type": "application/json"})) as f:
            answer = json.load(f)
        if error := answer.get("error"):
            raise RPCError(error["code"], error["message"], error.get("data"))
        return answer["result"]

    def snapshot(self) -> str:
        """Remembers the chain as it is."""
        return self.request("evm_snapshot")

    def revert(self, snapshot: str) -> None:
        """Goes back to a snapshot, which is gone then."""
        if not self.request("evm_revert", snapshot):
            raise ValueError(f"there is no snapshot {snapshot}")

    def stop(self) -> None:
        """Ends the node, and waits until it has ended."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for t in self._readers:
            t.join(5)
        for f in (self._process.stdout, self._process.stderr):
            if f:
                f.close()

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def main() -> None:
    """The edgefvm command."""
    path = binary()
    if sys.platform == "win32":
        sys.exit(subprocess.call([path, *sys.argv[1:]]))
    os.execv(path, [path, *sys.argv[1:]])
