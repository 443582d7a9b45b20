// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Jar} from "../src/Jar.sol";
import {vm} from "../src/Vm.sol";

contract JarTest {
    Jar jar;
    address constant friend = address(0xf00d);

    receive() external payable {}

    function setUp() public {
        jar = new Jar{value: 100}(block.timestamp + 30 days);
        vm.deal(friend, 1 ether);
    }

    function testTakesGifts() public {
        vm.prank(friend);
        jar.give{value: 300}();
        require(jar.given(friend) == 300 && jar.share(friend) == 75, "share");
        vm.expectRevert(bytes("nothing given"));
        jar.give();
    }

    function testOpensForItsOwner() public {
        vm.expectRevert(abi.encodeWithSelector(Jar.TooEarly.selector, block.timestamp, jar.opens()));
        jar.open();
        vm.warp(jar.opens());
        vm.prank(friend);
        vm.expectRevert(abi.encodeWithSelector(Jar.NotOwner.selector, friend));
        jar.open();
        jar.open();
        require(address(jar).balance == 0, "balance");
    }

    function testFuzzGifts(uint64 amount) public {
        if (amount == 0) return;
        jar.give{value: amount}();
        require(jar.given(address(this)) == amount, "given");
    }

    /// With --fork-url: the jar that stands on the development chain (JAR), called in forge's EVM.
    function testForkedJar() public {
        address there = vm.envOr("JAR", address(0));
        if (there.code.length == 0) return;
        uint256 before = Jar(there).given(friend);
        vm.prank(friend);
        Jar(there).give{value: 9}();
        require(Jar(there).given(friend) == before + 9, "given");
    }
}
