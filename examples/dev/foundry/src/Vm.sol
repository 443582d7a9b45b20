// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// What this project uses of forge's cheat codes, so that it needs no library. Others begin with `forge install foundry-rs/forge-std`.
interface Vm {
    function startBroadcast() external;
    function stopBroadcast() external;
    function deal(address who, uint256 balance) external;
    function prank(address sender) external;
    function warp(uint256 time) external;
    function expectRevert(bytes calldata data) external;
    function expectRevert(bytes4 selector) external;
    function envOr(string calldata name, address otherwise) external view returns (address);
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
