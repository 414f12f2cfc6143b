// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A plain token: what most contracts on any chain look like.
contract Token is ERC20 {
    constructor(uint256 supply) ERC20("Commons", "CMN") {
        _mint(msg.sender, supply);
    }
}
