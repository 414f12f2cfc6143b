// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import "hardhat/console.sol";

contract Inner {
    function speak(uint256 value) external view returns (uint256) {
        console.log("inner %d", value);
        return value + 1;
    }

    function complain() external view {
        console.log("inner before its failure");
        revert("no");
    }
}

/// Prints from its constructor, from itself, from a contract that it calls, and from one that fails.
contract Printer {
    Inner private immutable inner = new Inner();

    constructor() {
        console.log("constructor");
    }

    function print() external {
        console.log("first", msg.sender, true);
        console.log("second %s of %d, %i%%", "text", 42, 7);
        console.logBytes32(bytes32(uint256(255)));
        uint256 answer = inner.speak(8);
        console.logInt(-int256(answer));
        try inner.complain() {} catch {}
        console.log("last");
    }
}
