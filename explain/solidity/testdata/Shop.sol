// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

contract Bank {
    mapping(address => uint256) public balances;
    uint256 public immutable most;

    constructor(uint256 m) {
        most = m;
    }

    function deposit(uint256 n) external {
        _check(n); // function in a comment {
        _add(n);
    }

    function _check(uint256 n) internal view {
        require(n < most, "too much }");
    }

    function _add(uint256 n) internal {
        for (uint256 i = 0; i < n; i++) {
            balances[msg.sender] += 1;
        }
    }
}

contract Shop {
    Bank bank = new Bank(100);

    function buy(uint256 n) external {
        bank.deposit(n);
    }

    function tryToBuy(uint256 n) external {
        try bank.deposit(n) {
        } catch {
            revert("caught");
        }
    }
}
