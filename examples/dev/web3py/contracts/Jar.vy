#pragma version 0.4.3
#pragma evm-version cancun

# A jar that takes gifts until a time comes, and then gives them to its owner.

owner: public(immutable(address))
opens: public(immutable(uint256))
given: public(HashMap[address, uint256])

event Gift:
    giver: indexed(address)
    amount: uint256

event Opened:
    amount: uint256

@deploy
@payable
def __init__(opens_: uint256):
    assert opens_ > block.timestamp, "opens in the past"
    owner = msg.sender
    opens = opens_

@external
@payable
def give():
    assert msg.value != 0, "nothing given"
    self.given[msg.sender] += msg.value
    log Gift(giver=msg.sender, amount=msg.value)

@external
@nonreentrant
def open():
    assert msg.sender == owner, "not the owner"
    assert block.timestamp >= opens, "too early"
    amount: uint256 = self.balance
    log Opened(amount=amount)
    send(owner, amount)

@external
@view
def share(who: address) -> uint256:
    return 100 * self.given[who] // self.balance
