"""What a user of the package does, on the built wheel: release/pypi/build runs it."""

from edgefvm import Node, RPCError


def fails(kind, call, words):
    try:
        call()
    except kind as e:
        assert words in str(e), e
        return e
    raise AssertionError(f"no {kind.__name__}")


with Node("--accounts", "3") as node:
    assert int(node.request("eth_chainId"), 16) == node.chain_id
    assert len(node.accounts) == 3
    sender, to = (a["address"] for a in node.accounts[:2])

    def balance():
        return int(node.request("eth_getBalance", to, "latest"), 16)

    before = balance()
    snapshot = node.snapshot()
    node.request("eth_sendTransaction", {"from": sender, "to": to, "value": "0x10"})
    assert balance() == before + 16
    node.revert(snapshot)
    assert balance() == before
    fails(ValueError, lambda: node.revert(snapshot), "no snapshot")
    assert fails(RPCError, lambda: node.request("eth_call", {"to": "nobody"}), "").code == -32602
fails(RuntimeError, lambda: Node("--no-such-flag"), "no-such-flag")
print("the wheel works")
