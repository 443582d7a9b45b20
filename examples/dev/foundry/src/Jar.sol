// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// A jar that takes gifts until a time comes, and then gives them to its owner.
contract Jar {
    address payable public immutable owner;
    uint256 public immutable opens;
    mapping(address => uint256) public given;

    event Gift(address indexed from, uint256 amount);
    event Opened(uint256 amount);

    error TooEarly(uint256 time, uint256 opens);
    error NotOwner(address caller);

    constructor(uint256 opens_) payable {
        require(opens_ > block.timestamp, "opens in the past");
        owner = payable(msg.sender);
        opens = opens_;
    }

    function give() external payable {
        require(msg.value != 0, "nothing given");
        given[msg.sender] += msg.value;
        emit Gift(msg.sender, msg.value);
    }

    function open() external {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        if (block.timestamp < opens) revert TooEarly(block.timestamp, opens);
        uint256 amount = address(this).balance;
        emit Opened(amount);
        owner.transfer(amount);
    }

    /// A panic with code 0x12 when nobody gave anything.
    function share(address who) external view returns (uint256) {
        return (100 * given[who]) / address(this).balance;
    }
}
