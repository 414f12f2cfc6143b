// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

interface IERC20 {
    function transferFrom(address from, address to, uint256 value) external returns (bool);
    function balanceOf(address owner) external view returns (uint256);
}

/// The measure of the other languages' forwarders.
contract Forwarder {
    function forward(address target, bytes calldata data) external payable returns (bytes memory) {
        (bool success, bytes memory returned) = target.call{value: msg.value}(data);
        return handOn(success, returned);
    }

    function query(address target, bytes calldata data) external view returns (bytes memory) {
        (bool success, bytes memory returned) = target.staticcall(data);
        return handOn(success, returned);
    }

    function handOn(bool success, bytes memory returned) private pure returns (bytes memory) {
        if (!success) {
            assembly ("memory-safe") {
                revert(add(returned, 32), mload(returned))
            }
        }
        return returned;
    }
}

/// Uses a token as Solidity does, by its interface.
contract Cashier {
    function collect(IERC20 token, address from, uint256 value) external returns (uint256 balance) {
        require(token.transferFrom(from, address(this), value), "not paid");
        return token.balanceOf(address(this));
    }
}
