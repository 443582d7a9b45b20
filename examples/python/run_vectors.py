#!/usr/bin/env python3
"""Runs message vectors on a program that speaks the protocol of fvm-oracle, and compares what comes.

    run_vectors.py PROGRAM PATH...      vectors, or folders of them

Exit code: 0 if all passed, 1 if one differs, 2 for wrong usage. The formats: docs/formats.md. Needs only Python 3.8.
"""
import json
import pathlib
import subprocess
import sys


class Program:
    """A process that answers each line of JSON with one."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, op, **fields):
        self.process.stdin.write(json.dumps({"op": op, **fields}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the program ended")
        answer = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer


def link(value):
    """A CID as DAG-JSON writes it, or as text."""
    return value["/"] if isinstance(value, dict) else value


# Fields of a receipt. A vector need not have all of them.
FIELDS = ["exit_code", "return", "gas_used", "events_root", "penalty", "miner_tip", "base_fee_burn", "over_estimation_burn", "refund", "gas_refund", "gas_burned"]


def differences(vector, answer):
    receipts = vector["postconditions"]["receipts"]
    for i, (want, got) in enumerate(zip(receipts, answer["results"])):
        if want.get("error"):
            if "error" not in got:
                yield f"message {i}: there is a receipt, and should be none"
            continue
        if "error" in got:
            yield f"message {i}: no receipt: {got['error']}"
            continue
        for field in FIELDS:
            if field not in want:
                continue
            w, g = want[field], got[field]
            if field == "events_root":
                w, g = link(w), link(g)
            if (w or None) != (g or None) and w != g:
                yield f"message {i}: {field} is {g}, want {w}"
    if len(receipts) != len(answer["results"]):
        yield f"{len(answer['results'])} results, want {len(receipts)}"
    root = link(vector["postconditions"]["state_tree"]["root_cid"])
    if answer["root"] is not None and answer["root"] != root:
        yield f"the state root is {answer['root']}, want {root}"


def run(program, vector, variant):
    before = vector["preconditions"]
    program.ask("push")
    try:
        program.ask("load_car", data=vector["car"])
        request = {
            "nv": variant["nv"],
            "epoch": variant["epoch"],
            "chain_id": before.get("chain_id", 0),
            "base_fee": str(before["basefee"]),
            "circ_supply": str(before["circ_supply"]),
            "root": link(before["state_tree"]["root_cid"]),
            "messages": vector["apply_messages"],
        }
        if "timestamp" in variant:
            request["timestamp"] = variant["timestamp"]
        for field in ("randomness", "tipsets", "faults"):
            if vector.get(field):
                request[field] = vector[field]
        if before.get("proofs"):
            request["proofs"] = before["proofs"]
        return list(differences(vector, program.ask("apply", **request)))
    finally:
        program.ask("pop")


def main():
    if len(sys.argv) < 3 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    files = []
    for name in sys.argv[2:]:
        path = pathlib.Path(name)
        files += sorted(path.rglob("*.json")) if path.is_dir() else [path]
    program = Program(sys.argv[1])
    passed, failed, skipped = 0, 0, 0
    loaded = set()
    for path in files:
        vector = json.loads(path.read_text(), parse_float=str)
        for variant in vector["preconditions"]["variants"]:
            bundle = vector["preconditions"].get("bundle", "none")
            if bundle != "none" and bundle not in loaded:
                car = pathlib.Path("bundles") / (bundle.replace("/", "-") + ".car")
                if not car.exists():
                    print(f"{path.name}: skipped: 'edgefvm bundle export {bundle} --out {car}' makes the actors' code")
                    skipped += 1
                    continue
                program.ask("load_car", path=str(car.resolve()))
                loaded.add(bundle)
            try:
                found = run(program, vector, variant)
            except ValueError as e:
                found = [str(e)]
            for line in found:
                print(f"{path.name} {variant['id']}: {line}")
            passed, failed = passed + (not found), failed + bool(found)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
