// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Initializable} from "@openzeppelin/contracts-upgradeable/proxy/utils/Initializable.sol";

contract Box is Initializable {
    uint256 public value;

    function initialize(uint256 value_) external initializer {
        value = value_;
    }
}

contract BoxTwo is Box {
    function double() external {
        value *= 2;
    }
}
