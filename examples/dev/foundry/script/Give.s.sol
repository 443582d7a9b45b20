// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Jar} from "../src/Jar.sol";
import {vm} from "../src/Vm.sol";

/// Four transactions: two jars, one of them by the CREATE2 deployer, and a gift to each.
contract Give {
    bool public constant IS_SCRIPT = true;

    function run() external {
        vm.startBroadcast();
        Jar jar = new Jar{value: 1_000}(4_000_000_000);
        Jar fixedPlace = new Jar{salt: bytes32(block.number)}(4_000_000_000);
        jar.give{value: 0.5 ether}();
        fixedPlace.give{value: 0.25 ether}();
        vm.stopBroadcast();
        require(address(jar).balance == 0.5 ether + 1_000 && address(fixedPlace).balance == 0.25 ether, "balance");
    }
}
