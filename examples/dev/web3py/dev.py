"""The development chain, its accounts, and the compiled contract."""

from functools import cache
from pathlib import Path

import vyper
from web3 import Web3

URL = "http://127.0.0.1:8545"
w3 = Web3(Web3.HTTPProvider(URL))


@cache
def compiled():
    source = Path(__file__).with_name("contracts") / "Jar.vy"
    return vyper.compile_code(source.read_text(), output_formats=["abi", "bytecode"])


def deploy_jar(opens, value=0):
    out = compiled()
    factory = w3.eth.contract(abi=out["abi"], bytecode=out["bytecode"])
    # The node signs for its own accounts.
    tx = factory.constructor(opens).transact({"from": w3.eth.accounts[0], "value": value})
    address = w3.eth.wait_for_transaction_receipt(tx, poll_latency=0.05).contractAddress
    return w3.eth.contract(address=address, abi=out["abi"])


def receipt(tx):
    return w3.eth.wait_for_transaction_receipt(tx, poll_latency=0.05)
