import asyncio

import pytest
from eth_account import Account
from web3 import AsyncWeb3, Web3, WebSocketProvider
from web3.exceptions import ContractLogicError
from web3.middleware import SignAndSendRawMiddlewareBuilder

from dev import URL, deploy_jar, receipt, w3

DAY = 86_400
owner, friend = w3.eth.accounts[:2]


def ask(method, *params):
    answer = w3.provider.make_request(method, list(params))
    assert "error" not in answer, answer
    return answer["result"]


@pytest.fixture
def opens():
    return w3.eth.get_block("latest").timestamp + 30 * DAY


@pytest.fixture
def jar(opens):
    snapshot = ask("evm_snapshot")
    yield deploy_jar(opens, 100)
    ask("evm_revert", snapshot)


def test_begins_with_what_it_was_given(jar, opens):
    assert w3.eth.get_balance(jar.address) == 100
    assert jar.functions.owner().call() == owner
    assert jar.functions.opens().call() == opens


def test_takes_gifts(jar):
    done = receipt(jar.functions.give().transact({"from": friend, "value": 300}))
    gift = jar.events.Gift().process_receipt(done)[0]
    assert gift.args == {"giver": friend, "amount": 300}
    assert jar.functions.share(friend).call() == 75
    assert len(jar.events.Gift.get_logs(from_block=done.blockNumber, argument_filters={"giver": friend})) == 1
    with pytest.raises(ContractLogicError, match="nothing given"):
        jar.functions.give().transact({"from": friend})


def test_costs_what_the_receipt_says(jar):
    before = w3.eth.get_balance(friend)
    done = receipt(jar.functions.give().transact({"from": friend, "value": 40}))
    assert before - w3.eth.get_balance(friend) == 40 + done.gasUsed * done.effectiveGasPrice


def test_opens_for_its_owner_when_the_time_has_come(jar, opens):
    with pytest.raises(ContractLogicError, match="too early"):
        jar.functions.open().transact({"from": owner})
    ask("evm_setNextBlockTimestamp", opens)
    ask("evm_mine")
    with pytest.raises(ContractLogicError, match="not the owner"):
        jar.functions.open().transact({"from": friend})
    receipt(jar.functions.open().transact({"from": owner}))
    assert w3.eth.get_balance(jar.address) == 0


def test_takes_a_gift_signed_by_a_key_of_ones_own(jar):
    account = Account.create()
    receipt(w3.eth.send_transaction({"from": owner, "to": account.address, "value": 10**18}))
    own = Web3(Web3.HTTPProvider(URL))
    own.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
    own.eth.default_account = account.address
    receipt(own.eth.contract(address=jar.address, abi=jar.abi).functions.give().transact({"value": 7}))
    assert jar.functions.given(account.address).call() == 7


def test_filters(jar):
    gifts = jar.events.Gift.create_filter(from_block="latest")
    blocks = w3.eth.filter("latest")
    receipt(jar.functions.give().transact({"from": friend, "value": 5}))
    assert [e.args.amount for e in gifts.get_new_entries()] == [5]
    assert blocks.get_new_entries() == [w3.eth.get_block("latest").hash]
    w3.eth.uninstall_filter(gifts.filter_id)


def test_heads_are_heard(jar):
    async def listen():
        async with AsyncWeb3(WebSocketProvider(URL.replace("http", "ws"))) as aw3:
            await aw3.eth.subscribe("newHeads")
            ask("evm_mine")
            async for message in aw3.socket.process_subscriptions():
                return message["result"]["number"]

    assert asyncio.run(asyncio.wait_for(listen(), 10)) == w3.eth.block_number
